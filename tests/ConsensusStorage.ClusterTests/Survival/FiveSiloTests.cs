using Orleans.Consensus.ClusterTests.Support;

namespace Orleans.Consensus.ClusterTests.Survival;

/// <summary>Five silos survive any two.</summary>
public sealed class FiveSiloTests(FiveSilos fixture) : IClassFixture<FiveSilos>, IAsyncLifetime
{
    private readonly TestedCluster _cluster = fixture.Cluster;

    public async ValueTask InitializeAsync() => await _cluster.RestoreAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory]
    [InlineData(0, 1)]
    [InlineData(2, 4)]
    public async Task Any_two_of_five_silos_are_killed_and_restarted_and_nothing_acknowledged_is_lost(
        int first, int second)
    {
        await using var load = CounterLoad.Start(_cluster.Client);
        await load.ProgressAsync(10);
        await Task.WhenAll(_cluster.KillAsync(first), _cluster.KillAsync(second));
        await load.ProgressAsync(10);
        await Task.WhenAll(_cluster.StartSiloAsync(first), _cluster.StartSiloAsync(second));
        await _cluster.UntilAllServeAsync();
        await load.ProgressAsync(10);

        await load.VerifyAsync();
    }

    [Fact]
    public async Task Three_of_five_are_a_quorum_to_miss()
    {
        ClusterPlan.SkipUnlessFiles();
        var client = new StorageClient(_cluster, 4, StorageClient.NewId());
        await client.WriteAsync(1);
        await Task.WhenAll(_cluster.KillAsync(0), _cluster.KillAsync(1), _cluster.KillAsync(2));
        await Assert.ThrowsAnyAsync<ConsensusStorageException>(() => client.WriteAsync(2));

        await _cluster.StartSiloAsync(1);

        await Eventually.SucceedsAsync(client.RetryAsync);
        Assert.Equal(2, await client.ReadAsync());
    }
}
