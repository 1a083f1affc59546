using Microsoft.Extensions.Diagnostics.HealthChecks;
using Orleans.Consensus.Engines;

namespace Orleans.Consensus.Hosting;

/// <summary>
/// Whether grains of this silo can be read and written: a quorum of each group can be used, and the log of the replica
/// that is pinned here is open. Asks the silos at that moment. Thread-safe.
/// </summary>
internal sealed class ConsensusReadinessCheck(StoreHost store) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Judge(store.Name, await store.LookAsync(cancellationToken), context.Registration.FailureStatus);

    /// <summary>What one look comes to.</summary>
    /// <param name="failureStatus">Stands for unhealthy.</param>
    public static HealthCheckResult Judge(string store, StoreView view, HealthStatus failureStatus)
    {
        var missing = view.Missing;
        var data = missing.Concat(view.Notices)
            .ToDictionary(one => $"replica {one.Replica}", object (one) => one.Words);
        var tell = string.Join(" ", missing.Select(one => $"Replica '{one.Replica}': {one.Words}"));
        var words = $"Consensus store '{store}': {view.Usable} of {view.Replicas} replicas serve, "
            + $"{view.Quorum} are needed";
        if (view.Usable < view.Quorum)
        {
            return new(
                failureStatus, $"{words}: reads and writes fail until more are back. {tell}", data: data);
        }

        if (view.OwnProblem is { } own)
        {
            data["own replica"] = own;
            return new(
                failureStatus,
                $"{words}, but that of this silo does not. Replica '{view.Pinned!.Replica}' of this silo: {own}",
                data: data);
        }

        return view.Usable == view.Quorum && view.Replicas > 1
            ? HealthCheckResult.Degraded($"{words}: reads and writes fail when one more is lost. {tell}", data: data)
            : HealthCheckResult.Healthy(tell.Length == 0 ? $"{words}." : $"{words}. {tell}", data);
    }
}
