using Azure.Storage.Blobs;
using Orleans.Consensus.ClusterTests.Support;

namespace Orleans.Consensus.ClusterTests.Blobs;

/// <summary>Storage accounts that let nobody write: the silo runs and says what is wrong, in words.</summary>
public sealed class NoRightsTests
{
    [Theory]
    [InlineData("read only")]
    [InlineData("wrong key")]
    public async Task Without_rights_the_store_says_so_and_writes_nothing(string kind)
    {
        var accounts = await SharedAccounts.TakeAsync(3);
        var plan = new ClusterPlan
        {
            Blobs = true,
            Silos = 1,
            Accounts = [.. accounts.Select<string, string>(
                kind == "wrong key" ? LesserRights.WrongKey : LesserRights.ReadOnly)],
        };
        await using var cluster = await TestedCluster.DeployAsync(plan);

        var status = await Eventually.BecomesAsync(
            () => cluster.StatusAsync(0),
            seen => seen.All(replica => replica.Problem?.Contains("rights", StringComparison.Ordinal) == true));
        var client = new StorageClient(cluster, 0, StorageClient.NewId());
        var failure = await Assert.ThrowsAsync<ConsensusUnavailableException>(() => client.WriteAsync(1));

        Assert.All(status, replica => AssertSaysIt(replica.Problem!, plan));
        AssertSaysIt(failure.Message, plan);
        foreach (var account in accounts)
        {
            Assert.False(await new BlobContainerClient(account, plan.Container).ExistsAsync(
                TestContext.Current.CancellationToken));
        }
    }

    private static void AssertSaysIt(string words, ClusterPlan plan)
    {
        Assert.Contains("There are no rights", words, StringComparison.Ordinal);
        Assert.Contains(plan.Container, words, StringComparison.Ordinal);
        Assert.DoesNotContain("sig=", words, StringComparison.Ordinal);
    }
}
