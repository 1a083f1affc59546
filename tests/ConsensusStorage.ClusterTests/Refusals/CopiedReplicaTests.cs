using Orleans.Consensus.ClusterTests.Support;

namespace Orleans.Consensus.ClusterTests.Refusals;

/// <summary>A copied directory has the right log id and has still forgotten promises (S13).</summary>
public sealed class CopiedReplicaTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    [Trait("Rule", "S13")]
    public async Task A_copy_of_a_replica_beside_the_original_gets_no_vote()
    {
        ClusterPlan.SkipUnlessFiles();
        var plan = new ClusterPlan
        {
            Directory = _directory.Path,
            Store = (silo, options) => options.ReplicaId = silo == 3 ? "r0" : $"r{silo}",
        };
        await using var cluster = await TestedCluster.StartAsync(plan);
        var id = StorageClient.NewId();
        await new StorageClient(cluster, 0, id).WriteAsync(1);
        await cluster.StopAsync(0);
        Copy(plan.DirectoryOf(0), plan.DirectoryOf(3));
        await cluster.StartSiloAsync(0);
        await cluster.UntilAllServeAsync();
        await cluster.KillAsync(2);
        var writer = new StorageClient(cluster, 1, id);
        Assert.Equal(1, await Eventually.SucceedsAsync(writer.ReadAsync));
        await writer.WriteAsync(2);

        // r0 and r1 have it. Now the copy and r2 are a majority that has never heard of it.
        await cluster.StartSiloAsync(3);
        await Eventually.BecomesAsync(
            () => cluster.StatusAsync(3),
            status => status.Any(replica => replica.Problem?.Contains("copied", StringComparison.Ordinal) == true));
        await cluster.KillAsync(0);
        await cluster.StartSiloAsync(2);
        await cluster.KillAsync(1);
        var reader = new StorageClient(cluster, 2, id);
        var failure = await Record.ExceptionAsync(reader.ReadAsync);

        Assert.True(
            failure is ConsensusStorageException,
            $"The lost write was answered with {reader.State.State!.Value}.");
    }

    private static void Copy(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }
}
