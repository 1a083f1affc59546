using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Orleans.Consensus.Transport;
using Orleans.Hosting;
using Orleans.Runtime;

namespace Orleans.Consensus.Tests.Hosting;

public sealed class HealthCheckTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("consensus-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_store_with_one_replica_is_healthy_while_that_is_open_and_not_before()
    {
        using var host = Build(checks => checks.AddConsensusStorage());
        var lifecycle = StagedLifecycle.Of(host);
        var before = await CheckAsync(host);
        Assert.Equal(HealthStatus.Unhealthy, before["consensus"].Status);
        Assert.Contains("0 of 1 replicas serve", before["consensus"].Description, StringComparison.Ordinal);
        Assert.Equal(HealthStatus.Healthy, before["consensus-live"].Status);

        await lifecycle.StartAsync(ServiceLifecycleStage.RuntimeStorageServices);

        while ((await CheckAsync(host))["consensus"].Status != HealthStatus.Healthy)
        {
            await Task.Yield();
        }

        await lifecycle.StopAsync(ServiceLifecycleStage.RuntimeStorageServices);
        Assert.Equal(HealthStatus.Unhealthy, (await CheckAsync(host))["consensus"].Status);
    }

    [Fact]
    public async Task A_store_that_has_come_to_a_halt_is_not_alive()
    {
        var view = new BreakingView();
        using var host = Build(checks => checks.AddConsensusStorage(), view);
        var lifecycle = StagedLifecycle.Of(host);
        await lifecycle.StartAsync(ServiceLifecycleStage.RuntimeStorageServices);
        await lifecycle.StartAsync(ServiceLifecycleStage.AfterRuntimeGrainServices + 100);
        Assert.Equal(HealthStatus.Healthy, (await CheckAsync(host))["consensus-live"].Status);

        view.Break();

        HealthReportEntry live;
        do
        {
            await Task.Yield();
            live = (await CheckAsync(host))["consensus-live"];
        }
        while (live.Status == HealthStatus.Healthy);
        Assert.Equal(HealthStatus.Unhealthy, live.Status);
        Assert.Contains("The membership is gone.", live.Description, StringComparison.Ordinal);
        Assert.Contains("start this silo again", live.Description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_does_not_exist_is_told()
    {
        using var host = Build(checks => checks.AddConsensusStorage("other"));
        var exception = await Assert.ThrowsAsync<OrleansConfigurationException>(() => CheckAsync(host));
        Assert.Contains("'other'", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Names_tags_and_the_status_of_failures_are_those_that_were_asked_for()
    {
        using var host = Build(checks =>
        {
            checks.AddConsensusStorage(failureStatus: HealthStatus.Degraded, tags: ["mine"]);
            checks.AddConsensusStorage(name: "again");
        });
        var report = await CheckAsync(host);
        Assert.Equal(["again", "again-live", "consensus", "consensus-live"], report.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(["ready", "mine"], report["consensus"].Tags);
        Assert.Equal(["live", "mine"], report["consensus-live"].Tags);
        Assert.Equal(HealthStatus.Degraded, report["consensus"].Status);
        Assert.Equal(HealthStatus.Unhealthy, report["again"].Status);
    }

    [Fact]
    public void Bad_input_is_refused()
    {
        var checks = new ServiceCollection().AddHealthChecks();
        Assert.Throws<ArgumentNullException>(() => ConsensusHealthCheckExtensions.AddConsensusStorage(null!));
        Assert.Throws<ArgumentException>(() => checks.AddConsensusStorage(" "));
        Assert.Throws<ArgumentException>(() => checks.AddConsensusStorage(name: ""));
    }

    private static async Task<IReadOnlyDictionary<string, HealthReportEntry>> CheckAsync(IHost host)
    {
        var service = host.Services.GetRequiredService<HealthCheckService>();
        return (await service.CheckHealthAsync(TestContext.Current.CancellationToken)).Entries;
    }

    private IHost Build(Action<IHealthChecksBuilder> configure, IMembershipView? view = null) =>
        SiloUnderTest.Build(silo =>
        {
            silo.UseConsensusStore(options => options.DataDirectory = _directory);
            configure(silo.Services.AddHealthChecks());
            if (view is not null)
            {
                silo.Services.AddTransient(_ => view);
            }
        });

    /// <summary>A membership that nobody can look at any more, one day.</summary>
    private sealed class BreakingView : IMembershipView
    {
        private readonly TaskCompletionSource _broken = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ImmutableArray<SiloAddress> LiveSilos => [];

        public ImmutableArray<SiloAddress> StayingSilos => [];

        public ImmutableArray<SiloAddress> LeavingSilos => [];

        public long Version => 1;

        public void Break() => _broken.SetException(new InvalidOperationException("The membership is gone."));

        public Task ChangedAsync(CancellationToken cancellationToken) => _broken.Task.WaitAsync(cancellationToken);
    }
}
