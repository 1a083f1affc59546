using Orleans.Consensus.ClusterTests.Support;

namespace Orleans.Consensus.ClusterTests.Blobs;

/// <summary>Silos that take a store for another one than its logs say.</summary>
public sealed class OtherShapeTests
{
    [Fact]
    public async Task More_groups_than_a_store_was_formed_with_are_refused_also_where_there_are_no_logs_yet()
    {
        var plan = new ClusterPlan
        {
            Blobs = true,
            Silos = 1,
            Store = (silo, options) => options.Groups = silo == 1 ? 8 : 4,
        };
        await using var cluster = await TestedCluster.StartAsync(plan);
        await cluster.StartSiloAsync(1);

        // States of all groups: the others would keep them elsewhere.
        await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => Assert.ThrowsAsync<ConsensusUnavailableException>(
            () => new StorageClient(cluster, 1, StorageClient.NewId()).WriteAsync(1))));

        var refused = await Eventually.BecomesAsync(
            () => cluster.StatusAsync(1),
            status => status.All(replica => replica.State == ConsensusReplicaState.Refused));
        Assert.All(refused, replica =>
        {
            Assert.Contains("the number of groups", replica.Problem, StringComparison.Ordinal);
            Assert.Contains("restore the former configuration", replica.Problem, StringComparison.Ordinal);
        });
        Assert.All(await cluster.StatusAsync(0), replica => Assert.Equal(ConsensusReplicaState.Serving, replica.State));
    }
}
