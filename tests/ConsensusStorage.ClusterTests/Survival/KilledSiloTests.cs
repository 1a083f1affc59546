using Orleans.Consensus.ClusterTests.Support;

namespace Orleans.Consensus.ClusterTests.Survival;

/// <summary>Silos die and come back while grains write.</summary>
public sealed class KilledSiloTests(ThreeSilos fixture) : IClassFixture<ThreeSilos>, IAsyncLifetime
{
    private readonly TestedCluster _cluster = fixture.Cluster;

    public async ValueTask InitializeAsync() => await _cluster.RestoreAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Any_one_of_three_silos_is_killed_and_restarted_and_nothing_acknowledged_is_lost(int victim)
    {
        await using var load = CounterLoad.Start(_cluster.Client);
        await load.ProgressAsync(20);
        await _cluster.KillAsync(victim);
        await load.ProgressAsync(20);
        await _cluster.StartSiloAsync(victim);
        await _cluster.UntilAllServeAsync();
        await load.ProgressAsync(20);

        await load.VerifyAsync();
    }

    [Fact]
    public async Task Silos_restarted_in_turn_lose_nothing()
    {
        await using var load = CounterLoad.Start(_cluster.Client);
        foreach (var victim in _cluster.Alive)
        {
            await load.ProgressAsync(10);
            await _cluster.StopAsync(victim);
            await load.ProgressAsync(10);
            await _cluster.StartSiloAsync(victim);
            await _cluster.UntilAllServeAsync();
        }

        await load.VerifyAsync();
    }

    [Fact]
    public async Task What_one_majority_wrote_is_read_from_another()
    {
        var id = StorageClient.NewId();
        var writer = new StorageClient(_cluster, 0, id);
        await writer.WriteAsync(1);
        for (var round = 0; round < 3; round++)
        {
            var absent = (round + 1) % 3;
            await _cluster.KillAsync(absent);
            var others = _cluster.Alive.ToList();
            var client = new StorageClient(_cluster, others[0], id);
            Assert.Equal(round + 1, await Eventually.SucceedsAsync(client.ReadAsync));
            await client.WriteAsync(round + 2);
            Assert.Equal(round + 2, await new StorageClient(_cluster, others[1], id).ReadAsync());
            await _cluster.StartSiloAsync(absent);
            await _cluster.UntilAllServeAsync();
        }
    }

    [Fact]
    public async Task A_replica_is_found_again_at_another_address()
    {
        ClusterPlan.SkipUnlessFiles();
        var id = StorageClient.NewId();
        var client = new StorageClient(_cluster, 2, id);
        await client.WriteAsync(1);
        var before = _cluster.Address(1);
        await _cluster.KillAsync(1);
        await _cluster.StartSiloAsync(1);
        Assert.NotEqual(before.Endpoint.Port, _cluster.Address(1).Endpoint.Port);
        await _cluster.UntilAllServeAsync();

        // From here on there is no quorum without it.
        await _cluster.KillAsync(0);

        await client.WriteAsync(2);
        Assert.Equal(2, await new StorageClient(_cluster, 1, id).ReadAsync());
        var status = await _cluster.StatusAsync(2);
        Assert.All(
            status.Where(replica => replica.Replica == "r1"),
            replica => Assert.Equal(_cluster.Address(1).ToParsableString(), replica.Host));
        Assert.All(
            status.Where(replica => replica.Replica == "r0"),
            replica => Assert.Equal(ConsensusReplicaState.Unreachable, replica.State));
    }

    [Fact]
    public async Task A_silo_without_a_replica_reads_and_writes()
    {
        ClusterPlan.SkipUnlessFiles();
        await _cluster.StartSiloAsync(3);
        await _cluster.UntilAllServeAsync();
        var id = StorageClient.NewId();
        var guest = new StorageClient(_cluster, 3, id);
        await guest.WriteAsync(1);
        Assert.Equal(1, await new StorageClient(_cluster, 0, id).ReadAsync());

        await _cluster.KillAsync(0);

        await guest.WriteAsync(2);
        Assert.Equal(2, await guest.ReadAsync());
        Assert.Equal(2, await new StorageClient(_cluster, 1, id).ReadAsync());
        Assert.DoesNotContain(
            await _cluster.StatusAsync(1),
            replica => replica.Host == _cluster.Address(3).ToParsableString());
    }

    [Fact]
    public async Task A_killed_silo_without_a_replica_is_not_missed()
    {
        await _cluster.StartSiloAsync(3);
        await _cluster.UntilAllServeAsync();
        await using var load = CounterLoad.Start(_cluster.Client);
        await load.ProgressAsync(10);

        await _cluster.KillAsync(3);

        await load.ProgressAsync(10);
        await load.VerifyAsync();
    }
}
