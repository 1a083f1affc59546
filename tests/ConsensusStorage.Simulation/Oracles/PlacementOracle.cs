using Orleans.Consensus.Engines;
using Orleans.Consensus.Simulation.Clusters;
using Orleans.Consensus.Transport;
using Orleans.Runtime;

namespace Orleans.Consensus.Simulation.Oracles;

/// <summary>
/// When nothing has happened for long and all silos see the same, each replica that floats is served by the one silo
/// that it belongs to, and by no other.
/// </summary>
internal sealed class PlacementOracle(SimulatedCluster cluster, Action<string> violated)
{
    /// <param name="lost">Numbers of replicas that are served by nobody any more.</param>
    public void Look(IReadOnlySet<int> lost)
    {
        var settings = cluster.Settings;
        var placed = ReplicaPlacement.Of(
            cluster.Network.Live, $"{settings.Store}", settings.Groups, cluster.Replicas.Count);
        for (var group = 0; group < settings.Groups; group++)
        {
            for (var replica = 0; replica < cluster.Replicas.Count; replica++)
            {
                var expected = lost.Contains(replica) ? "" : $"{placed[group][replica]}";
                var hosts = string.Join(", ", HostsOf(group, cluster.Replicas[replica]));
                if (hosts != expected)
                {
                    violated(
                        $"After a long peace a replica is not where it belongs: {cluster.Replicas[replica]} of group "
                        + $"{group} is served by '{hosts}' instead of '{expected}'. "
                        + string.Join(" ", SayingsOf(group, cluster.Replicas[replica])));
                }
            }
        }
    }

    private IEnumerable<string> SayingsOf(int group, ReplicaId replica) => WordsOf(group, replica).Select(
        words => $"{words.Silo}: {words.Said.State}{(words.Said.IsGuest ? ", a guest" : "")}, "
            + $"epoch {words.Said.Epoch}, log {words.Said.Log}. {words.Said.Problem}");

    private IEnumerable<string> HostsOf(int group, ReplicaId replica) => WordsOf(group, replica)
        .Where(words => words.Said.State == ReplicaState.Serving)
        .Select(words => $"{words.Silo}");

    /// <summary>What the silos that have it say of it.</summary>
    private IEnumerable<(SiloAddress Silo, ReplicaDescription Said)> WordsOf(int group, ReplicaId replica) =>
        cluster.Silos
            .OrderBy(silo => silo.Key)
            .SelectMany(silo => silo.Value.Targets.ElementAt(group).Target.Describe().Replicas
                .Where(one => one.Replica == replica)
                .Select(one => (cluster.Addresses[silo.Key], one)));
}
