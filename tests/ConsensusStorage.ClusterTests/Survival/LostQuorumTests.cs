using Orleans.Consensus.ClusterTests.Support;

namespace Orleans.Consensus.ClusterTests.Survival;

/// <summary>Two of three silos are gone: errors in time that say what happened, and service when one is back.</summary>
public sealed class LostQuorumTests(ThreeSilos fixture) : IClassFixture<ThreeSilos>, IAsyncLifetime
{
    private readonly TestedCluster _cluster = fixture.Cluster;

    public async ValueTask InitializeAsync() => await _cluster.RestoreAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Without_a_quorum_there_are_errors_and_with_one_there_is_service(int survivor)
    {
        ClusterPlan.SkipUnlessFiles();
        var known = new StorageClient(_cluster, survivor, StorageClient.NewId());
        await known.WriteAsync(1);
        var others = _cluster.Alive.Where(silo => silo != survivor).ToList();
        await Task.WhenAll(others.Select(_cluster.KillAsync));

        var reading = Assert.ThrowsAsync<ConsensusUnavailableException>(
            () => new StorageClient(_cluster, survivor, StorageClient.NewId()).ReadAsync());
        var writing = Assert.ThrowsAsync<ConsensusUnavailableException>(
            () => new StorageClient(_cluster, survivor, StorageClient.NewId()).WriteAsync(1));
        var overwrite = await Assert.ThrowsAnyAsync<ConsensusStorageException>(() => known.WriteAsync(2));
        AssertNamesTheMissing(overwrite, others);
        Assert.Equal(overwrite is ConsensusOutcomeUnknownException, overwrite.MayHaveHappened);
        foreach (var unavailable in await Task.WhenAll(reading, writing))
        {
            AssertNamesTheMissing(unavailable, others);
            Assert.False(unavailable.MayHaveHappened);
        }

        await _cluster.StartSiloAsync(others[0]);

        await Eventually.SucceedsAsync(known.RetryAsync);
        Assert.Equal(2, await known.ReadAsync());
    }

    [Fact]
    public async Task Grains_wait_out_a_lost_quorum_and_lose_nothing()
    {
        ClusterPlan.SkipUnlessFiles();
        await using var load = CounterLoad.Start(_cluster.Client, clients: 4);
        await load.ProgressAsync(10);
        await Task.WhenAll(_cluster.KillAsync(1), _cluster.KillAsync(2));
        await Assert.ThrowsAnyAsync<ConsensusStorageException>(
            () => new StorageClient(_cluster, 0, StorageClient.NewId()).ReadAsync());

        await _cluster.StartSiloAsync(2);

        await load.ProgressAsync(10);
        await load.VerifyAsync();
    }

    [Fact]
    public async Task A_grain_sees_the_documented_error_also_through_its_client()
    {
        ClusterPlan.SkipUnlessFiles();
        await Task.WhenAll(_cluster.KillAsync(1), _cluster.KillAsync(2));

        // An activation that fails because its state can't be read may be reported by its grain's client only as such.
        var failure = await Eventually.SucceedsAsync(async () =>
        {
            var counter = _cluster.Client.GetGrain<ICounterGrain>(Guid.NewGuid().ToString("N"));
            var thrown = await Assert.ThrowsAnyAsync<Exception>(() => counter.AddAsync(Guid.NewGuid()));
            return Causes.Of(thrown).OfType<ConsensusUnavailableException>().First();
        });

        Assert.Equal(["r1", "r2"], failure.NotAnswered.Except(["r0"]).Order());
        Assert.False(failure.MayHaveHappened);
    }

    private static void AssertNamesTheMissing(ConsensusStorageException failure, List<int> silos)
    {
        foreach (var silo in silos)
        {
            Assert.Contains($"r{silo}", failure.NotAnswered);
            Assert.Contains($"r{silo}", failure.Message, StringComparison.Ordinal);
        }
    }
}
