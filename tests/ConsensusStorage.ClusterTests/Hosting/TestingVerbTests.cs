using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Consensus.ClusterTests.Support;
using Orleans.Hosting;
using Orleans.Runtime;
using Orleans.TestingHost;

namespace Orleans.Consensus.ClusterTests.Hosting;

/// <summary>The one line that users' own tests need.</summary>
public sealed class TestingVerbTests
{
    [Theory]
    [InlineData(1, true)]
    [InlineData(3, false)]
    public async Task It_sets_up_a_whole_cluster_in_process(int replicas, bool inMemory)
    {
        var builder = new InProcessTestClusterBuilder((short)replicas);
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSilo((_, silo) => silo.AddConsensusGrainStorageForTesting(replicas, inMemory));
        await using var cluster = builder.Build();
        await cluster.DeployAsync();
        var counter = cluster.Client.GetGrain<ICounterGrain>("counter");
        await Eventually.SucceedsAsync(() => counter.AddAsync(Guid.NewGuid()));

        var options = cluster.Silos[0].ServiceProvider
            .GetRequiredService<IOptionsMonitor<ConsensusStoreOptions>>()
            .Get(ConsensusStoreOptions.DefaultStoreName);
        Assert.Equal(TestedCluster.ReplicaNames(replicas), options.Replicas);
        Assert.Equal(inMemory, !Directory.Exists(options.DataDirectory));
        if (replicas > 1)
        {
            await cluster.KillSiloAsync(cluster.Silos[replicas - 1]);
        }

        await Eventually.SucceedsAsync(() => counter.AddAsync(Guid.NewGuid()));
        Assert.Equal(2, (await counter.ReadAsync()).Value);
        if (!inMemory)
        {
            await cluster.StopAllSilosAsync();
            Directory.Delete(options.DataDirectory, recursive: true);
        }
    }

    [Fact]
    public async Task It_sets_up_a_cluster_of_two_silos_that_gets_a_third_and_loses_two()
    {
        var builder = new InProcessTestClusterBuilder();
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSilo((_, silo) => silo.AddConsensusGrainStorageForTesting(replicas: 3));
        await using var cluster = builder.Build();
        await cluster.DeployAsync();
        Assert.Equal(2, cluster.Silos.Count);
        var counter = cluster.Client.GetGrain<ICounterGrain>("counter");

        await counter.AddAsync(Guid.NewGuid());
        await cluster.StartAdditionalSiloAsync();
        await counter.AddAsync(Guid.NewGuid());
        await cluster.StopSiloAsync(cluster.Silos[0]);
        await cluster.KillSiloAsync(cluster.Silos[0]);
        await Eventually.SucceedsAsync(() => counter.AddAsync(Guid.NewGuid()));

        Assert.Equal(3, (await counter.ReadAsync()).Value);
    }

    [Fact]
    public async Task It_sets_up_a_whole_test_cluster()
    {
        var builder = new TestClusterBuilder(3);
        builder.Options.ConfigureFileLogging = false;
        builder.AddSiloBuilderConfigurator<OneLine>();
        await using var cluster = builder.Build();
        await cluster.DeployAsync();
        var counter = cluster.Client.GetGrain<ICounterGrain>("counter");

        await Eventually.SucceedsAsync(() => counter.AddAsync(Guid.NewGuid()));

        Assert.Equal(1, (await counter.ReadAsync()).Value);
        var store = ((InProcessSiloHandle)cluster.Silos[0]).SiloHost.Services
            .GetRequiredKeyedService<IConsensusStore>(ConsensusStoreOptions.DefaultStoreName);
        var status = await store.GetStatusAsync(TestContext.Current.CancellationToken);
        Assert.Equal(TestedCluster.ReplicaNames(3), status.Select(replica => replica.Replica).Distinct());
    }

    [Fact]
    public async Task Memory_outlives_a_silo_that_is_killed_and_started_again()
    {
        var builder = new InProcessTestClusterBuilder(3);
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSilo((_, silo) => silo.AddConsensusGrainStorageForTesting());
        await using var cluster = builder.Build();
        await cluster.DeployAsync();
        var counter = cluster.Client.GetGrain<ICounterGrain>("counter");
        await Eventually.SucceedsAsync(() => counter.AddAsync(Guid.NewGuid()));
        var restarted = new List<InProcessSiloHandle>();
        foreach (var silo in cluster.Silos.Skip(1).ToList())
        {
            await cluster.KillSiloAsync(silo);
            var (siloPort, gatewayPort) = cluster.PortAllocator.AllocateConsecutivePortPairs(1);
            restarted.Add(await cluster.CreateSiloAsync(
                new() { SiloName = silo.Name, SiloPort = siloPort, GatewayPort = gatewayPort }));
            await Eventually.SucceedsAsync(() => counter.AddAsync(Guid.NewGuid()));
        }

        Assert.True((await counter.ReadAsync()).Value >= 3);
        await Task.WhenAll(restarted.Select(cluster.KillSiloAsync));
    }

    [Fact]
    public void It_takes_1_3_or_5_replicas() => Assert.Throws<ArgumentOutOfRangeException>(
        () => new InProcessTestClusterBuilder(1)
            .ConfigureSilo((_, silo) => silo.AddConsensusGrainStorageForTesting(2))
            .Build()
            .DeployAsync()
            .GetAwaiter()
            .GetResult());

    private sealed class OneLine : ISiloConfigurator
    {
        public void Configure(ISiloBuilder siloBuilder) => siloBuilder.AddConsensusGrainStorageForTesting();
    }
}
