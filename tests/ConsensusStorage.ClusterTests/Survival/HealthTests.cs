using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Orleans.Consensus.ClusterTests.Support;
using Orleans.Hosting;

namespace Orleans.Consensus.ClusterTests.Survival;

/// <summary>What health checks say of a cluster that loses its silos one after another, and gets them back.</summary>
public sealed class HealthTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Health_tells_of_the_spare_replica_and_of_the_quorum()
    {
        ClusterPlan.SkipUnlessFiles();
        await using var cluster = await TestedCluster.StartAsync(new()
        {
            Directory = _directory.Path,
            Silo = (_, silo) => silo.Services.AddHealthChecks().AddConsensusStorage(),
        });
        await UntilAsync(cluster, 0, HealthStatus.Healthy);

        await cluster.KillAsync(2);
        var degraded = await UntilAsync(cluster, 0, HealthStatus.Degraded);
        Assert.Contains("2 of 3 replicas serve, 2 are needed", degraded.Description, StringComparison.Ordinal);
        Assert.Contains("Replica 'r2': Unreachable", degraded.Description, StringComparison.Ordinal);
        Assert.Equal(["replica r2"], degraded.Data.Keys);

        await cluster.KillAsync(1);
        var unhealthy = await UntilAsync(cluster, 0, HealthStatus.Unhealthy);
        Assert.Contains("1 of 3 replicas serve", unhealthy.Description, StringComparison.Ordinal);
        Assert.Contains("reads and writes fail", unhealthy.Description, StringComparison.Ordinal);

        await cluster.StartSiloAsync(1);
        await UntilAsync(cluster, 0, HealthStatus.Degraded);
        await cluster.StartSiloAsync(2);
        await UntilAsync(cluster, 0, HealthStatus.Healthy);
    }

    [Fact]
    public async Task A_silo_whose_own_log_was_refused_is_not_ready_and_the_others_are()
    {
        ClusterPlan.SkipUnlessFiles();
        var plan = new ClusterPlan
        {
            Directory = _directory.Path,
            Silo = (_, silo) => silo.Services.AddHealthChecks().AddConsensusStorage(),
        };
        await using var cluster = await TestedCluster.StartAsync(plan);
        await cluster.KillAsync(1);
        Directory.Delete(Path.Combine(plan.DirectoryOf(1), "Default", "r1"), recursive: true);
        await cluster.StartSiloAsync(1);

        var own = await Eventually.BecomesAsync(
            () => ReadyAsync(cluster, 1), ready => ready.Description!.Contains("emptied", StringComparison.Ordinal));

        Assert.Equal(HealthStatus.Unhealthy, own.Status);
        Assert.Contains("that of this silo does not", own.Description, StringComparison.Ordinal);
        await UntilAsync(cluster, 0, HealthStatus.Degraded);
    }

    private static Task<HealthReportEntry> UntilAsync(TestedCluster cluster, int silo, HealthStatus status) =>
        Eventually.BecomesAsync(() => ReadyAsync(cluster, silo), ready => ready.Status == status);

    private static async Task<HealthReportEntry> ReadyAsync(TestedCluster cluster, int silo)
    {
        var service = cluster.Services(silo).GetRequiredService<HealthCheckService>();
        var report = await service.CheckHealthAsync(TestContext.Current.CancellationToken);
        Assert.Equal(HealthStatus.Healthy, report.Entries["consensus-live"].Status);
        return report.Entries["consensus"];
    }
}
