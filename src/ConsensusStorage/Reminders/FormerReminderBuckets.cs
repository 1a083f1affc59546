using System.Globalization;
using Orleans.Runtime;
using Orleans.Storage;

namespace Orleans.Consensus.Reminders;

/// <summary>
/// Refuses a store whose reminders a former version wrote, in buckets: beside a new tree nobody would see them again.
/// They are looked for until the tree has a root, and never again. Thread-safe.
/// </summary>
internal sealed class FormerReminderBuckets(IGrainStorage storage, int buckets)
{
    private const int ReadsAtOnce = 16;

    private static readonly GrainType Type = GrainType.Create("consensus.reminders");

    private readonly Lock _lock = new();
    private Task? _look;

    /// <summary>Looks once; others wait for the outcome. After a failure the next one looks again.</summary>
    /// <exception cref="ConsensusStorageException">There are some.</exception>
    public Task RefuseAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_look is null or { IsCompleted: true, IsCompletedSuccessfully: false })
            {
                _look = LookAsync();
            }

            return _look.WaitAsync(cancellationToken);
        }
    }

    private async Task LookAsync()
    {
        await Task.Yield();
        foreach (var few in Enumerable.Range(0, buckets).Chunk(ReadsAtOnce))
        {
            await Task.WhenAll(few.Select(RefuseAsync));
        }
    }

    private async Task RefuseAsync(int bucket)
    {
        var state = new GrainState<ReminderBucket>();
        var id = GrainId.Create(Type, bucket.ToString(CultureInfo.InvariantCulture));
        await storage.ReadStateAsync(ReminderTree.StateName, id, state);
        if (state.RecordExists)
        {
            throw new ConsensusStorageException(
                $"The reminders of this store are in the old format ReminderBucket (bucket {bucket} of {buckets} has "
                + "some), which this version can't read. No reminder was read and nothing was written. Go back to the "
                + "version that wrote them, or take another store or ServiceId and register the reminders again.");
        }
    }
}
