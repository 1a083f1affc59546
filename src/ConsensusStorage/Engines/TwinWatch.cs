using Orleans.Consensus.Transport;
using Orleans.Runtime;

namespace Orleans.Consensus.Engines;

/// <summary>
/// Looks for another silo that answers for the log of a pinned replica. Two silos can't have one disk, which is locked:
/// the log was copied, and neither knows what the other promised since. Each refuses for good as soon as it sees the
/// other (S13), also a refused one.
/// </summary>
internal sealed class TwinWatch(ReplicaId replica, ReplicaDirectory directory, TimeProvider time)
{
    /// <summary>The silo that has a copy; null if the watch was ended.</summary>
    public async Task<SiloAddress?> RunAsync(LogId log, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            using var changed = directory.Changed.Next(Timeout.InfiniteTimeSpan, time, cancellationToken);
            if (directory.FindTwin(replica, log) is { } silo)
            {
                return silo;
            }

            await changed.Task;
        }

        return null;
    }
}
