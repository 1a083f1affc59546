using Orleans.Consensus.ClusterTests.Support;

namespace Orleans.Consensus.ClusterTests.Blobs;

/// <summary>Two clusters of one service, as when a new deployment starts beside the former one (S17).</summary>
public sealed class TwoClusterTests
{
    [Fact]
    [Trait("Rule", "S17")]
    public async Task A_newer_cluster_takes_the_logs_over_and_the_former_one_says_so_and_keeps_off()
    {
        var former = new ClusterPlan { Blobs = true, Cluster = $"blue-{Guid.NewGuid():N}" };
        var newer = former with { Cluster = $"green-{Guid.NewGuid():N}" };
        await using var blue = await TestedCluster.StartAsync(former);
        await using var blueLoad = CounterLoad.Start(blue.Client, clients: 4);
        await blueLoad.ProgressAsync(10);

        await using var green = await TestedCluster.StartAsync(newer);
        await using var greenLoad = CounterLoad.Start(green.Client, clients: 4);
        await greenLoad.ProgressAsync(10);

        var status = await Eventually.BecomesAsync(() => blue.StatusAfterWritesAsync(0), HasNoQuorum);
        Assert.All(status.Where(IsRefused), replica =>
        {
            Assert.Contains($"taken over by cluster '{newer.Cluster}'", replica.Problem, StringComparison.Ordinal);
            Assert.Contains($"'{former.Cluster}' had it before", replica.Problem, StringComparison.Ordinal);
        });
        var failure = await Assert.ThrowsAsync<ConsensusUnavailableException>(
            () => new StorageClient(blue, 1, StorageClient.NewId()).WriteAsync(1));
        Assert.Contains(newer.Cluster!, failure.Message, StringComparison.Ordinal);

        // Another view of the cluster makes the former one look again, and find the same.
        await blue.StopAsync(2);
        await Eventually.BecomesAsync(() => blue.StatusAfterWritesAsync(0), HasNoQuorum);
        await greenLoad.ProgressAsync(10);
        await green.UntilAllServeAsync();
        await blueLoad.VerifyAsync(green.Client);
        await greenLoad.VerifyAsync();
    }

    private static bool IsRefused(ConsensusReplicaStatus replica) => replica.State == ConsensusReplicaState.Refused;

    /// <summary>The third one of a group is asked for nothing any more.</summary>
    private static bool HasNoQuorum(IReadOnlyList<ConsensusReplicaStatus> status) =>
        status.GroupBy(replica => replica.Group).All(group => group.Count(IsRefused) >= 2);
}
