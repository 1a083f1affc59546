using Orleans.TestingHost;

namespace Orleans.Consensus.ClusterTests;

public sealed class ClusterSmokeTests
{
    [Fact]
    public async Task A_cluster_of_one_silo_starts()
    {
        var cluster = new TestClusterBuilder(initialSilosCount: 1).Build();
        await using (cluster.ConfigureAwait(true))
        {
            await cluster.DeployAsync();

            Assert.Single(cluster.GetActiveSilos());
        }
    }
}
