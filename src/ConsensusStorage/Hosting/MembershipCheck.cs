using Orleans.Consensus.Clustering;
using Orleans.Runtime;

namespace Orleans.Consensus.Hosting;

/// <summary>
/// Brings the membership into being, or finds it, before the stores of a silo open. One that belongs to another
/// cluster, can't be reached or can't be written ends the start here: no log is created for a cluster that a silo can't
/// join.
/// </summary>
internal sealed class MembershipCheck(Membership membership) : ILifecycleParticipant<ISiloLifecycle>
{
    private const int Stage = ServiceLifecycleStage.RuntimeStorageServices - 1;

    public void Participate(ISiloLifecycle observer) => observer.Subscribe(
        "Orleans.Consensus places", Stage, membership.OpenAsync, _ => Task.CompletedTask);
}
