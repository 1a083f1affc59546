using Microsoft.Extensions.Diagnostics.HealthChecks;
using Orleans.Consensus.Transport;
using Orleans.Runtime;

namespace Orleans.Consensus.Hosting;

/// <summary>
/// Whether grains of this silo can be read and written: a quorum of each group answers, and the log of the replica
/// that is pinned here is open. Asks the silos at that moment. Thread-safe.
/// </summary>
internal sealed class ConsensusReadinessCheck(StoreHost store, SiloAddress local) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var replicas = await store.GetStatusAsync(cancellationToken);
        var reachable = store.Reachable;
        var missing = replicas
            .Where(replica => !Serves(replica) || replica.Problem is not null)
            .GroupBy(replica => replica.Replica)
            .Select(groups => (Replica: groups.Key, Is: groups.First()))
            .ToList();
        var data = missing.ToDictionary(one => $"replica {one.Replica}", object (one) => Words(one.Is));
        var words = $"Consensus store '{store.Name}': {reachable} of {store.Replicas} replicas serve, "
            + $"{store.Quorum} are needed";
        if (reachable < store.Quorum)
        {
            return new(
                context.Registration.FailureStatus,
                $"{words}: reads and writes fail until more are back. {Tell(missing)}",
                data: data);
        }

        // A problem of the whole store stands with all replicas, also with those that serve.
        var here = local.ToParsableString();
        if (replicas.Any(one => one.Replica == store.PinnedReplica && one.Host == here && !Serves(one)))
        {
            return new(
                context.Registration.FailureStatus,
                $"{words}, but that of this silo does not. {Tell(missing)}",
                data: data);
        }

        return reachable == store.Quorum && store.Replicas > 1
            ? HealthCheckResult.Degraded(
                $"{words}: reads and writes fail when one more is lost. {Tell(missing)}", data: data)
            : HealthCheckResult.Healthy($"{words}.", data);
    }

    private static bool Serves(ConsensusReplicaStatus replica) => replica.State == nameof(ReplicaState.Serving);

    private static string Tell(IEnumerable<(string Replica, ConsensusReplicaStatus Is)> missing) =>
        string.Join(" ", missing.Select(one => $"Replica '{one.Replica}': {Words(one.Is)}"));

    private static string Words(ConsensusReplicaStatus replica) =>
        replica.Problem is { } problem ? $"{replica.State}. {problem}" : $"{replica.State}.";
}
