using Orleans.Core;
using Orleans.Runtime;
using Orleans.Storage;

namespace Orleans.Consensus.Reminders;

/// <summary>
/// Reminders in a tree of small registers, by their keys. A change writes one leaf, however many reminders there are.
/// Thread-safe.
/// <para>A leaf is split by a single compare-and-swap, the change that made it too large: it keeps what it holds,
/// marked as split, and never changes again. A child that was never written holds what its parent held for it; its
/// first change writes it. So there is no moment at which a reminder is in two places or in none, nothing to finish
/// after a crash, and two silos can't split differently. Nodes are never joined or removed, so what is split stays
/// split, and a child's register never gets another meaning.</para>
/// </summary>
internal sealed class ReminderTree(
    IGrainStorage storage, ReminderSettings settings, TimeProvider time, Random random)
{
    public const string StateName = "reminders";

    /// <summary>Others who change a node at the same time, after which a change is given up.</summary>
    private const int MostConflicts = 30;

    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(100);

    private readonly FormerReminderBuckets _former = new(storage, settings.FormerBuckets);
    private readonly KnownReminderNodes _known = new();
    private readonly ReminderTurns _turns = new();

    /// <summary>What became of a change of a node.</summary>
    private enum Outcome
    {
        Done,

        /// <summary>There was nothing to change.</summary>
        Unchanged,

        /// <summary>Nothing was changed: it belongs to a child.</summary>
        Split,
    }

    /// <summary>The leaf that holds a reminder, if there is such a reminder.</summary>
    public async Task<ReminderNode> ReadAsync(ReminderKey key, CancellationToken cancellationToken)
    {
        var id = _known.DeepestFor(key);
        var node = await ReadAsync(id, parent: null, cancellationToken);
        while (node.IsSplit)
        {
            id = id.ChildFor(key);
            node = await ReadAsync(id, node, cancellationToken);
        }

        return node;
    }

    /// <summary>
    /// The reminders of a part of the tree. The first node goes first: it may tell that none can be read.
    /// </summary>
    /// <param name="isWanted">Whether a node may have some of them.</param>
    public async Task<List<ReminderRow>> ReadAsync(
        Func<ReminderNodeId, bool> isWanted, CancellationToken cancellationToken)
    {
        var rows = new List<ReminderRow>();
        var open = new Stack<(ReminderNodeId Id, ReminderNode? Parent)>([(ReminderNodeId.Root, null)]);
        for (var few = Take(1); few.Count > 0; few = Take(settings.ReadsAtOnce))
        {
            var nodes = await Task.WhenAll(few.Select(one => ReadAsync(one.Id, one.Parent, cancellationToken)));
            foreach (var (one, node) in few.Zip(nodes))
            {
                if (node.IsSplit)
                {
                    Open(one.Id, node);
                }
                else
                {
                    rows.AddRange(node.Rows);
                }
            }
        }

        return rows;

        void Open(ReminderNodeId id, ReminderNode? node)
        {
            foreach (var child in id.AllChildren().Where(isWanted))
            {
                open.Push((child, node));
            }
        }

        List<(ReminderNodeId Id, ReminderNode? Parent)> Take(int most)
        {
            var taken = new List<(ReminderNodeId, ReminderNode?)>();
            while (taken.Count < most && open.TryPop(out var next))
            {
                if (next.Parent is null && _known.IsSplit(next.Id))
                {
                    Open(next.Id, null);
                }
                else
                {
                    taken.Add(next);
                }
            }

            return taken;
        }
    }

    /// <summary>Changes the leaf that a reminder belongs to once, over whatever others make of it meanwhile.</summary>
    /// <param name="name">Of the change; no other has it.</param>
    /// <param name="change">Null leaves the leaf as it is.</param>
    /// <returns>Whether it was changed.</returns>
    public Task<bool> ChangeAsync(
        ReminderKey key,
        string name,
        Func<ReminderNode, ReminderNode?> change,
        CancellationToken cancellationToken) => InTimeAsync(
            async limit =>
            {
                var id = _known.DeepestFor(key);
                while (true)
                {
                    switch (await ChangeAsync(id, name, change, limit, cancellationToken))
                    {
                        case Outcome.Split:
                            id = id.ChildFor(key);
                            break;
                        case var outcome:
                            return outcome == Outcome.Done;
                    }
                }
            },
            cancellationToken);

    /// <summary>Removes all reminders, one leaf after the other.</summary>
    public async Task ClearAsync(Func<string> newName, CancellationToken cancellationToken)
    {
        var open = new Stack<ReminderNodeId>([ReminderNodeId.Root]);
        while (open.TryPop(out var id))
        {
            var outcome = await InTimeAsync(
                limit => ChangeAsync(
                    id,
                    newName(),
                    node => node.Rows.Count > 0 ? node with { Rows = [] } : null,
                    limit,
                    cancellationToken),
                cancellationToken);
            foreach (var child in outcome == Outcome.Split ? id.AllChildren() : [])
            {
                open.Push(child);
            }
        }
    }

    /// <summary>
    /// Gives a call its time. Behind that it neither waits for a turn nor begins another attempt: its caller has
    /// probably given up, and must not find later that it was done all the same.
    /// </summary>
    private async Task<T> InTimeAsync<T>(
        Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(settings.RequestTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            return await call(either.Token);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ConsensusUnavailableException(
                $"The reminder was not changed: {settings.RequestTimeout} (option RequestTimeout of the consensus "
                + "store) were over before its turn came among other changes of the same part of the table. Try again.",
                exception);
        }
    }

    /// <param name="limit">Ends waiting and reading.</param>
    /// <param name="cancellationToken">Ends writing, too, whose outcome may then be unknown.</param>
    private async Task<Outcome> ChangeAsync(
        ReminderNodeId id,
        string name,
        Func<ReminderNode, ReminderNode?> change,
        CancellationToken limit,
        CancellationToken cancellationToken)
    {
        using var turn = await _turns.EnterAsync(id, limit);
        if (_known.IsSplit(id))
        {
            return Outcome.Split;
        }

        (ReminderNode Before, ConsensusInDoubtStateException Exception)? doubt = null;
        for (var conflicts = 0; ; conflicts++)
        {
            var written = _known.Take(id);
            var state = written ?? await ReadAgainAsync(id, doubt?.Exception, limit);
            var before = state.State!;

            // If it was overtaken and in doubt: whether it had been done (S7); it can't be any more.
            if (doubt is { } kept && WasDone(name, before, kept))
            {
                return Outcome.Done;
            }

            if (before.IsSplit)
            {
                return Outcome.Split;
            }

            if (change(before)?.By(name) is { } changed)
            {
                var isLast = conflicts == MostConflicts || limit.IsCancellationRequested;
                var overtaken = await WriteAsync(id, state, changed, isLast, cancellationToken);
                if (overtaken is null)
                {
                    return Outcome.Done;
                }

                doubt = overtaken is ConsensusInDoubtStateException exception ? (before, exception) : null;
                if (written is null)
                {
                    await Task.Delay(LongestPause * NextJitter(), time, CancellationToken.None);
                }
            }
            else if (written is null)
            {
                return Outcome.Unchanged;
            }
        }
    }

    private static bool WasDone(
        string name, ReminderNode now, (ReminderNode Before, ConsensusInDoubtStateException Exception) doubt) =>
        now.HasSeen(name, doubt.Before) ?? throw doubt.Exception;

    private async Task<ReminderNode> ReadAsync(
        ReminderNodeId id, ReminderNode? parent, CancellationToken cancellationToken) =>
        (await ReadStateAsync(id, parent, cancellationToken)).State!;

    private async Task<IGrainState<ReminderNode>> ReadStateAsync(
        ReminderNodeId id, ReminderNode? parent, CancellationToken cancellationToken)
    {
        var state = new GrainState<ReminderNode>();
        await storage.ReadStateAsync(StateName, id.ToGrainId(), state, cancellationToken);
        if (!state.RecordExists)
        {
            if (id.IsRoot)
            {
                return await CreateRootAsync(state, cancellationToken);
            }

            // It is split, or nothing would be looked for here; and what is split does not change.
            parent ??= await ReadAsync(id.Parent, parent: null, cancellationToken);
            state.State = parent.BeginningOf(id);
        }
        else if (state.State!.Format != ReminderNode.CurrentFormat)
        {
            throw new ConsensusStorageException(
                $"Node {id} of the reminders is in format {state.State.Format}, and this version reads and writes "
                + $"format {ReminderNode.CurrentFormat} only: another version of Orleans.Consensus wrote it. Nothing "
                + "was changed. Run that version on all silos.");
        }

        if (state.State!.IsSplit)
        {
            _known.NoteSplit(id);
        }

        return state;
    }

    /// <summary>Writes an empty root, so that buckets of a former version are never looked for again.</summary>
    private async Task<IGrainState<ReminderNode>> CreateRootAsync(
        GrainState<ReminderNode> absent, CancellationToken cancellationToken)
    {
        await _former.RefuseAsync(cancellationToken);
        absent.State = ReminderNode.Empty;
        try
        {
            await storage.WriteStateAsync(StateName, ReminderNodeId.Root.ToGrainId(), absent, cancellationToken);
            return absent;
        }
        catch (InconsistentStateException)
        {
            // Another silo was first.
            return await ReadStateAsync(ReminderNodeId.Root, parent: null, cancellationToken);
        }
    }

    /// <summary>Reads a node; if that fails, what was in doubt before stays so.</summary>
    private async Task<IGrainState<ReminderNode>> ReadAgainAsync(
        ReminderNodeId id, ConsensusInDoubtStateException? doubt, CancellationToken cancellationToken)
    {
        try
        {
            return await ReadStateAsync(id, parent: null, cancellationToken);
        }
        catch (Exception exception) when (
            doubt is not null && exception is (ConsensusStorageException or OperationCanceledException))
        {
            throw doubt;
        }
    }

    /// <returns>How another write came first; null if none did.</returns>
    private async Task<InconsistentStateException?> WriteAsync(
        ReminderNodeId id,
        IGrainState<ReminderNode> state,
        ReminderNode changed,
        bool isLast,
        CancellationToken cancellationToken)
    {
        state.State = IsTooLarge(id, changed) ? changed with { IsSplit = true } : changed;
        try
        {
            await storage.WriteStateAsync(StateName, id.ToGrainId(), state, cancellationToken);
        }
        catch (InconsistentStateException exception) when (!isLast)
        {
            return exception;
        }

        if (state.State.IsSplit)
        {
            _known.NoteSplit(id);
        }
        else
        {
            _known.Keep(id, state);
        }

        return null;
    }

    private bool IsTooLarge(ReminderNodeId id, ReminderNode node) =>
        id.Depth < ReminderNodeId.Deepest
        && node.Rows.Count > 1
        && (node.Rows.Count > settings.MostRows || node.Rows.Sum(row => row.Bytes) > settings.MostBytes);

    private double NextJitter()
    {
        lock (random)
        {
            return random.NextDouble();
        }
    }
}
