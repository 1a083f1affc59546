using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Orleans.Consensus.Hosting;

/// <summary>Whether a store goes on at all; if it does not, only another start of the process helps.</summary>
internal sealed class ConsensusLivenessCheck(StoreHost store) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(store.Failure is { } failure
            ? new(
                context.Registration.FailureStatus,
                $"Consensus store '{store.Name}' has come to a halt, start this silo again: {failure.Message}",
                failure)
            : HealthCheckResult.Healthy($"Consensus store '{store.Name}' goes on."));
}
