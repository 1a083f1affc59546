using Orleans.Consensus.Paxos;
using Orleans.Consensus.Transport;
using Orleans.Runtime;

namespace Orleans.Consensus.Engines;

/// <summary>
/// Keeps the replicas of a silo that leaves while other silos that leave have grains that may write yet: where all stop
/// at once, the first ones to be done would take the quorum away from the last.
/// </summary>
internal sealed class Farewell(
    StoreSettings settings,
    ReplicaDirectory directory,
    IMembershipView membership,
    IReplicaHost host,
    TimeProvider time)
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(250);

    /// <summary>The others have to learn that this silo is done before it is gone.</summary>
    private static readonly TimeSpan Notice = TimeSpan.FromMilliseconds(500);

    /// <summary>Silos that are told to stop at once hear of it at slightly different times.</summary>
    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(1);

    /// <summary>A silo that gives no answer may be busy; after that it counts as gone.</summary>
    private static readonly TimeSpan SilentPatience = TimeSpan.FromSeconds(5);

    /// <summary>Completes when nobody needs this silo any more, or has to do without it.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (!cancellationToken.IsCancellationRequested
            && host.Hosted.Count > 0
            && IsNeeded(time.GetElapsedTime(started)))
        {
            using var changed = directory.Changed.Next(LookAgain, time, cancellationToken);
            _ = directory.RefreshAsync(Others());
            await changed.Task;
        }
    }

    private bool IsNeeded(TimeSpan waited)
    {
        var others = Others().Select(directory.Know).Where(silo => !silo.HasNoStore).ToList();
        return others.Any(silo => !silo.IsDone && (!silo.Silent || waited < SilentPatience))
            || (others.Count > 0 && waited < Notice)
            || (waited < Linger && IsQuorumLostWithoutIt());
    }

    private IEnumerable<SiloAddress> Others() =>
        membership.LeavingSilos.Where(silo => !silo.Equals(directory.Local));

    /// <summary>Other silos stay, and too few replicas are on them.</summary>
    private bool IsQuorumLostWithoutIt()
    {
        var staying = directory.Candidates.Remove(directory.Local);
        var replicas = Enumerable.Range(0, settings.Replicas.Count)
            .Count(replica => directory.Locate(replica) is { } location && staying.Contains(location.Silo));
        return !staying.IsEmpty && replicas < Votes.QuorumOf(settings.Replicas.Count);
    }
}
