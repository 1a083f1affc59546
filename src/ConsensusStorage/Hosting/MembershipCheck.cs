using Orleans.Consensus.Clustering;
using Orleans.Runtime;

namespace Orleans.Consensus.Hosting;

/// <summary>
/// Ends the start of a silo whose membership is in places of another cluster before its stores open: they would create
/// logs for a cluster that it has nothing to do with.
/// </summary>
internal sealed class MembershipCheck(Membership membership) : ILifecycleParticipant<ISiloLifecycle>
{
    private const int Stage = ServiceLifecycleStage.RuntimeStorageServices - 1;

    public void Participate(ISiloLifecycle observer) => observer.Subscribe(
        "Orleans.Consensus places", Stage, membership.RequireOwnAsync, _ => Task.CompletedTask);
}
