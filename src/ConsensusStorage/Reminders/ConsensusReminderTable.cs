using System.Globalization;
using Orleans.Runtime;
using Orleans.Storage;

namespace Orleans.Consensus.Reminders;

/// <summary>
/// Orleans' reminders in a consensus store, spread over buckets by the hash that Orleans gives grains: one register for
/// each bucket, so that the silos, each asking for its part of the hashes, read few of them. Thread-safe.
/// </summary>
internal sealed class ConsensusReminderTable(IGrainStorage storage, TimeProvider time, Random random)
    : IReminderTable
{
    /// <summary>Fixed: it places reminders.</summary>
    public const int Buckets = 256;

    public const string StateName = "reminders";

    private const int BucketShift = 24;

    /// <summary>Buckets read at a time; where one can't be read, the rest is not tried.</summary>
    private const int ReadsAtOnce = 16;

    /// <summary>Others who change a bucket at the same time, after which a change is given up.</summary>
    private const int MostConflicts = 30;

    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan PauseWithoutAnswer = TimeSpan.FromSeconds(1);
    private static readonly GrainType BucketType = GrainType.Create("consensus.reminders");

    private readonly SemaphoreSlim[] _turns = [.. Enumerable.Range(0, Buckets).Select(_ => new SemaphoreSlim(1))];

    /// <summary>
    /// Each bucket as it was written here last, in its turn. The silo that has a bucket's hashes is about the only one
    /// to change it, so this is a read less for each change; where it isn't, the ETag tells.
    /// </summary>
    private readonly GrainState<ReminderBucket>?[] _written = new GrainState<ReminderBucket>?[Buckets];

    public async Task<ReminderTableData> ReadRows(GrainId grainId)
    {
        var bucket = await ReadAsync(BucketOf(grainId), CancellationToken.None);
        return new(bucket.Reminders.Where(row => row.Grain == grainId).Select(row => row.ToEntry()));
    }

    public Task<ReminderTableData> ReadRows(uint begin, uint end) =>
        ReadRangeAsync(begin, end, CancellationToken.None);

    /// <summary>
    /// Reads for as long as it takes. What Orleans can't read when a silo starts, or takes a range over, it reads again
    /// after minutes only, and before that none of these reminders goes off. One bucket goes first: without a quorum
    /// that is one call in vain, not one for each of them.
    /// </summary>
    public async Task<ReminderTableData> ReadRows(uint begin, uint end, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                // A silo that stops waits for no read: the others may be gone already.
                await ReadAsync(BucketsOf(begin, end).First(), cancellationToken);
                return await ReadRangeAsync(begin, end, cancellationToken);
            }
            catch (ConsensusStorageException exception) when (
                exception is (ConsensusUnavailableException or ConsensusOutcomeUnknownException)
                && cancellationToken.CanBeCanceled)
            {
                await Task.Delay(PauseWithoutAnswer, time, cancellationToken);
            }
        }
    }

    public async Task<ReminderEntry?> ReadRow(GrainId grainId, string reminderName) =>
        (await ReadAsync(BucketOf(grainId), CancellationToken.None)).Find(grainId, reminderName)?.ToEntry();

    public async Task<string?> UpsertRow(ReminderEntry entry)
    {
        var row = ReminderRow.Of(entry, NewName());
        await ChangeAsync(BucketOf(entry.GrainId), row.ETag, rows => rows.With(row));
        return row.ETag;
    }

    public async Task<bool> RemoveRow(GrainId grainId, string reminderName, string eTag) =>
        await ChangeAsync(
            BucketOf(grainId),
            NewName(),
            rows => rows.Find(grainId, reminderName) is { } row && row.ETag == eTag ? rows.Without(row) : null);

    public async Task TestOnlyClearTable()
    {
        for (var bucket = 0; bucket < Buckets; bucket++)
        {
            await ChangeAsync(
                bucket, NewName(), rows => rows.Reminders.Count > 0 ? rows with { Reminders = [] } : null);
        }
    }

    /// <summary>The buckets of a range of hashes, each once; see <see cref="IReminderTable"/>.</summary>
    internal static IEnumerable<int> BucketsOf(uint begin, uint end)
    {
        // A range that goes around may begin and end in one bucket.
        var start = unchecked(begin + 1);
        var first = (int)(start >> BucketShift);
        var last = (int)(end >> BucketShift);
        var goesAround = begin >= end && start != 0;
        var count = goesAround ? Math.Min(Buckets, Buckets - first + last + 1) : last - first + 1;
        return Enumerable.Range(first, count).Select(bucket => bucket % Buckets);
    }

    private static bool Covers(uint begin, uint end, uint hash) =>
        begin < end ? hash > begin && hash <= end : hash > begin || hash <= end;

    private static int BucketOf(GrainId grain) => (int)(grain.GetUniformHashCode() >> BucketShift);

    private static GrainId IdOf(int bucket) =>
        GrainId.Create(BucketType, bucket.ToString(CultureInfo.InvariantCulture));

    private async Task<ReminderTableData> ReadRangeAsync(uint begin, uint end, CancellationToken cancellationToken)
    {
        var entries = new List<ReminderEntry>();
        foreach (var few in BucketsOf(begin, end).Chunk(ReadsAtOnce))
        {
            var buckets = await Task.WhenAll(few.Select(bucket => ReadAsync(bucket, cancellationToken)));
            entries.AddRange(buckets
                .SelectMany(bucket => bucket.Reminders)
                .Select(row => row.ToEntry())
                .Where(entry => Covers(begin, end, entry.GrainId.GetUniformHashCode())));
        }

        return new(entries);
    }

    private async Task<ReminderBucket> ReadAsync(int bucket, CancellationToken cancellationToken) =>
        (await ReadStateAsync(bucket, cancellationToken)).State!;

    private async Task<GrainState<ReminderBucket>> ReadStateAsync(int bucket, CancellationToken cancellationToken)
    {
        var state = new GrainState<ReminderBucket>();
        await storage.ReadStateAsync(StateName, IdOf(bucket), state, cancellationToken);
        if (!state.RecordExists)
        {
            state.State = ReminderBucket.Empty;
        }

        return state;
    }

    /// <summary>Changes a bucket once, over whatever others make of it meanwhile.</summary>
    /// <param name="name">Of the change.</param>
    /// <param name="change">Null leaves it as it is.</param>
    /// <returns>Whether it was changed.</returns>
    private async Task<bool> ChangeAsync(int bucket, string name, Func<ReminderBucket, ReminderBucket?> change)
    {
        await _turns[bucket].WaitAsync();
        try
        {
            (ReminderBucket Before, ConsensusInDoubtStateException Exception)? doubt = null;
            for (var conflicts = 0; ; conflicts++)
            {
                var written = _written[bucket];
                _written[bucket] = null;
                var state = written ?? await ReadAgainAsync(bucket, doubt?.Exception);
                var before = state.State!;

                // If it was overtaken and in doubt: whether it had been done (S7); it can't be any more.
                if (doubt is { } kept && (before.HasSeen(name, kept.Before) ?? throw kept.Exception))
                {
                    return true;
                }

                if (change(before)?.By(name) is { } changed)
                {
                    var overtaken = await WriteAsync(bucket, state, changed, last: conflicts == MostConflicts);
                    if (overtaken is null)
                    {
                        _written[bucket] = state;
                        return true;
                    }

                    doubt = overtaken is ConsensusInDoubtStateException exception ? (before, exception) : null;
                    if (written is null)
                    {
                        await Task.Delay(LongestPause * NextJitter(), time);
                    }
                }
                else if (written is null)
                {
                    return false;
                }
            }
        }
        finally
        {
            _turns[bucket].Release();
        }
    }

    /// <summary>Reads a bucket; if that fails, what was in doubt before stays so.</summary>
    private async Task<GrainState<ReminderBucket>> ReadAgainAsync(
        int bucket, ConsensusInDoubtStateException? doubt)
    {
        try
        {
            return await ReadStateAsync(bucket, CancellationToken.None);
        }
        catch (ConsensusStorageException) when (doubt is not null)
        {
            throw doubt;
        }
    }

    /// <returns>How another write came first; null if none did.</returns>
    private async Task<InconsistentStateException?> WriteAsync(
        int bucket, GrainState<ReminderBucket> state, ReminderBucket changed, bool last)
    {
        state.State = changed;
        try
        {
            await storage.WriteStateAsync(StateName, IdOf(bucket), state);
            return null;
        }
        catch (InconsistentStateException exception) when (!last)
        {
            return exception;
        }
    }

    private string NewName() => LogId.Create(random).ToString();

    private double NextJitter()
    {
        lock (random)
        {
            return random.NextDouble();
        }
    }
}
