using System.Text;
using Orleans.Consensus.Engines;
using Orleans.Consensus.Simulation.Kernel;
using Orleans.Consensus.Simulation.Linearizability;
using Orleans.Consensus.Simulation.Scenarios;

namespace Orleans.Consensus.Simulation.Runs;

/// <summary>
/// A grain's state object as its storage would treat it: it knows an ETag, and which of its changes are in doubt,
/// which it hands in with whatever it does next (S7). Sometimes it is out of date, or gives up early. It lives and dies
/// with the process of its silo, unless it migrates: then its ETag is all that goes along.
/// </summary>
internal sealed class GrainClient(
    SeedRun run, PaxosStore store, SimulatedProcess process, PlannedClient planned, Random random)
{
    private static readonly TimeSpan Tolerance = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    private readonly List<int> _inDoubt = [];
    private readonly RegisterId _id = SeedRun.Register(planned.Register);
    private RegisterVersion? _tag;
    private InDoubt _doubt = InDoubt.None;
    private bool _mustRead = true;

    /// <summary>One operation after the other, until there are enough.</summary>
    public async Task WorkAsync()
    {
        await Task.Delay(TimeSpan.FromMilliseconds(planned.Begin), run.Time);
        while (!run.IsEnough && !run.Histories.IsFull(planned.Register))
        {
            await StepAsync();
            if (random.Next(_doubt.IsNone ? 40 : 4) == 0 && run.SilosUp.Count > 0)
            {
                run.Migrate(this, run.SilosUp.ElementAt(random.Next(run.SilosUp.Count)));
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1, planned.LongestPause)), run.Time);
        }
    }

    /// <summary>The same grain at another silo.</summary>
    public GrainClient At(PaxosStore other, SimulatedProcess its)
    {
        var text = new StateETag(_tag, _doubt).ToText(_id);
        if (!StateETag.TryParse(text, _id, out var etag))
        {
            run.Violated($"An ETag can't be read: {text}");
        }

        var moved = new GrainClient(run, other, its, planned, random)
        {
            _tag = etag.Expected,
            _doubt = etag.InDoubt,
            _mustRead = _mustRead,
        };
        moved._inDoubt.AddRange(_inDoubt);
        return moved;
    }

    /// <summary>Reads, again and again until something is found; else says how it ended last.</summary>
    public Task<ChangeResult?> ReadUntilFoundAsync(DateTimeOffset until) => UntilAsync(
        () => CallAsync(OperationKind.Read, null),
        result => result is ChangeResult.Found,
        until);

    /// <summary>
    /// Writes over what it saw last, again and again until it is applied, and reads in between where a grain has to;
    /// else says how it ended last.
    /// </summary>
    public Task<ChangeResult?> WriteUntilAppliedAsync(DateTimeOffset until) => UntilAsync(
        () => _mustRead
            ? CallAsync(OperationKind.Read, null)
            : CallAsync(OperationKind.Write, _tag),
        result => result is ChangeResult.Applied,
        until);

    private async Task<ChangeResult?> UntilAsync(
        Func<Task<ChangeResult>> call, Predicate<ChangeResult> isWell, DateTimeOffset until)
    {
        var result = await call();
        while (!isWell(result) && run.Time.GetUtcNow() < until)
        {
            await Task.Delay(Pause, run.Time);
            result = await call();
        }

        return isWell(result) ? null : result;
    }

    private async Task StepAsync()
    {
        var (kind, expected) = Choose();
        var isGivenUp = random.Next(planned.Begin > 0 ? 2 : 16) == 0;
        var patience = isGivenUp ? TimeSpan.FromMilliseconds(random.Next(1, 400)) : Timeout.InfiniteTimeSpan;
        using var cancel = new CancellationTokenSource(patience, run.Time);
        await CallAsync(kind, expected, isGivenUp ? patience : run.CallTimeout, cancel.Token);
    }

    private Task<ChangeResult> CallAsync(OperationKind kind, RegisterVersion? expected) =>
        CallAsync(kind, expected, run.CallTimeout, CancellationToken.None);

    /// <param name="most">What it may take, but for pauses of its process.</param>
    private async Task<ChangeResult> CallAsync(
        OperationKind kind, RegisterVersion? expected, TimeSpan most, CancellationToken cancellationToken)
    {
        var operation = new Operation(
            kind, store.Engine.MintVersion(), expected, _doubt.Versions, run.Histories.Tick());
        var number = run.Histories.Begin(planned.Register, operation);
        run.Trace.Add("call", operation);
        var (started, pauses) = (run.Time.GetTimestamp(), process.Pauses);
        var result = await store.Engine.ChangeAsync(_id, ToChange(operation), cancellationToken);
        var took = run.Time.GetElapsedTime(started);
        run.Trace.Add("end ", operation.Version.Sequence, result);
        if (took > most + Tolerance && pauses == process.Pauses)
        {
            run.Violated($"A call took too long, {took}: {operation}");
        }

        Conclude(number, operation, result);
        return result;
    }

    private (OperationKind Kind, RegisterVersion? Expected) Choose()
    {
        var dice = _mustRead ? 0 : random.Next(100);
        return dice switch
        {
            < 18 => (OperationKind.Read, null),
            < 30 => (OperationKind.Clear, _tag),
            < 38 => (OperationKind.Write, run.Histories.AnyVersion(planned.Register, random)),
            < 45 => (OperationKind.Write, null),
            < 48 => (OperationKind.Clear, run.Histories.AnyVersion(planned.Register, random)),
            _ => (OperationKind.Write, _tag),
        };
    }

    private Change ToChange(Operation operation)
    {
        var (version, expected) = (operation.Version, operation.Expected);
        return operation.Kind switch
        {
            OperationKind.Read => new Change.Read(version, _doubt),
            OperationKind.Clear => new Change.Clear(version, _doubt, expected),
            _ => new Change.Write(version, _doubt, expected, PayloadOf(version)),
        };
    }

    private void Conclude(int number, Operation operation, ChangeResult result)
    {
        var now = run.Histories.Tick();
        switch (result)
        {
            case ChangeResult.Applied applied:
                Settle(now, applied.Version);
                run.Histories[planned.Register, number] = operation with { Ending = Ending.Applied, Returned = now };
                break;
            case ChangeResult.Found found:
                Settle(now, Visible(found.Value));
                CheckPayload(found.Value);
                run.Histories[planned.Register, number] =
                    operation with { Ending = Ending.Found, Returned = now, Seen = _tag };
                break;
            case ChangeResult.Stale stale:
                Settle(now, Visible(stale.Current));
                var ending = stale.MayHaveHappened ? Ending.StaleAfterDoubt : Ending.Stale;
                run.Histories[planned.Register, number] =
                    operation with { Ending = ending, Returned = now, Seen = _tag };
                break;
            case ChangeResult.Unknown unknown:
                run.Saw($"unknown: {unknown.Reason}");
                _doubt = unknown.InDoubt;
                _mustRead |= unknown.Reason == UnknownReason.LostTrack || random.Next(3) == 0;
                _inDoubt.Add(number);
                if (unknown.Reason == UnknownReason.Violation)
                {
                    run.Violated($"The replicas contradict one another: {operation}");
                }

                break;
            case ChangeResult.NotApplied none:
                run.Saw($"not applied: {none.Reason}");
                run.Histories[planned.Register, number] = operation with { Ending = Ending.Never, Returned = now };
                if (none.Reason == NotAppliedReason.Violation)
                {
                    run.Violated($"The replicas contradict one another: {operation}");
                }

                break;
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    /// <summary>A definite answer: from here on nothing that was in doubt can take effect any more (S7).</summary>
    private void Settle(int now, RegisterVersion? tag)
    {
        foreach (var number in _inDoubt)
        {
            run.Histories[planned.Register, number] = run.Histories[planned.Register, number] with { Returned = now };
        }

        _inDoubt.Clear();
        (_doubt, _tag, _mustRead) = (InDoubt.None, tag, false);
    }

    private void CheckPayload(RegisterValue? value)
    {
        if (value is { IsTombstone: false }
            && (value.Payload as PayloadBytes)?.Bytes.Span.SequenceEqual(PayloadOf(value.Version).Bytes.Span) != true)
        {
            run.Violated($"A version came back with a payload not its own: {value.Version} of {planned.Register}.");
        }
    }

    private static RegisterVersion? Visible(RegisterValue? value) =>
        value is { IsTombstone: false } ? value.Version : null;

    private static PayloadBytes PayloadOf(RegisterVersion version)
    {
        var length = 49 + (int)(version.Sequence % 7 * 150);
        var bytes = new byte[length];
        Encoding.UTF8.GetBytes(version.ToString(), bytes);
        bytes.AsSpan(^1)[0] = (byte)version.Sequence;
        return new(bytes);
    }
}
