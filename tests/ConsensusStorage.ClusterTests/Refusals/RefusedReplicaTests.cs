using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;
using Orleans.Consensus.ClusterTests.Support;
using Orleans.Consensus.Transport;

namespace Orleans.Consensus.ClusterTests.Refusals;

/// <summary>
/// Replicas that must not be let in, on silos that can do without: the silo runs, its replica says why it does not,
/// and the others go on (S13).
/// </summary>
public sealed class RefusedReplicaTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly ClusterPlan _plan;

    public RefusedReplicaTests() => _plan = new() { Directory = _directory.Path };

    private string LogOfOne => Path.Combine(_plan.DirectoryOf(1), "Default", "r1");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task An_emptied_log_is_not_let_in_until_the_original_is_back()
    {
        ClusterPlan.SkipUnlessFiles();
        await using var cluster = await TestedCluster.StartAsync(_plan);
        var client = new StorageClient(cluster, 0, StorageClient.NewId());
        await client.WriteAsync(1);
        await cluster.KillAsync(1);
        Directory.Move(LogOfOne, LogOfOne + "-original");
        await cluster.StartSiloAsync(1);

        var problem = await RefusalOfOneAsync(cluster);

        Assert.Contains("emptied", problem, StringComparison.Ordinal);
        Assert.Contains("Put the original directory back", problem, StringComparison.Ordinal);
        await client.WriteAsync(2);
        Assert.Equal(2, await new StorageClient(cluster, 1, StorageClient.NewId()).WriteAndReadAsync(2));

        // It has no vote: with another one gone there is no quorum.
        await cluster.KillAsync(2);
        await Assert.ThrowsAnyAsync<ConsensusStorageException>(() => client.WriteAsync(3));
        await cluster.KillAsync(1);
        Directory.Delete(LogOfOne, recursive: true);
        Directory.Move(LogOfOne + "-original", LogOfOne);
        await cluster.StartSiloAsync(1);
        await Eventually.SucceedsAsync(client.RetryAsync);
        Assert.Equal(3, await client.ReadAsync());
    }

    [Fact]
    public async Task A_damaged_log_is_not_served_from()
    {
        ClusterPlan.SkipUnlessFiles();
        await using var cluster = await TestedCluster.StartAsync(_plan);
        var client = new StorageClient(cluster, 0, StorageClient.NewId());
        await client.WriteAsync(1);
        await client.WriteAsync(2);
        await cluster.KillAsync(1);
        var segment = Directory.EnumerateFiles(LogOfOne, "segment-*").Order().First();
        var bytes = await File.ReadAllBytesAsync(segment);
        bytes[100] ^= 1;
        await File.WriteAllBytesAsync(segment, bytes);
        await cluster.StartSiloAsync(1);

        var problem = await RefusalOfOneAsync(cluster);

        Assert.Contains($"Segment 1 of the log in {LogOfOne}", problem, StringComparison.Ordinal);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(segment));
        await client.WriteAsync(3);
        Assert.Equal(7, await new StorageClient(cluster, 1, StorageClient.NewId()).WriteAndReadAsync(7));
    }

    [Fact]
    public async Task A_second_silo_with_the_id_of_a_replica_is_not_let_in()
    {
        ClusterPlan.SkipUnlessFiles();
        await using var cluster = await TestedCluster.StartAsync(_plan with
        {
            Store = (silo, options) => options.ReplicaId = silo == 3 ? "r0" : $"r{silo}",
        });
        await cluster.StartSiloAsync(3);

        var second = await Eventually.BecomesAsync(
            () => Task.FromResult(Described(cluster, 3)), replica => replica.State == ReplicaState.Refused);

        Assert.Contains("second silo with the same replica id", second.Problem, StringComparison.Ordinal);
        await AssertServedBySiloZeroAsync(cluster);
        Assert.Equal(1, await new StorageClient(cluster, 3, StorageClient.NewId()).WriteAndReadAsync(1));
    }

    [Fact]
    public async Task Of_two_new_silos_with_one_replica_id_at_most_one_is_let_in()
    {
        ClusterPlan.SkipUnlessFiles();
        await using var cluster = await TestedCluster.DeployAsync(_plan with
        {
            Silos = 4,
            Store = (silo, options) => options.ReplicaId = silo == 3 ? "r0" : $"r{silo}",
        });

        // Whether the store forms depends on whether both were seen before all peers were known; and if the two others
        // have stored the logs of different ones, both are refused.
        var twins = await Eventually.BecomesAsync(
            () => Task.FromResult(new[] { Described(cluster, 0), Described(cluster, 3) }),
            seen => seen.All(replica => replica.State is ReplicaState.Refused or ReplicaState.Serving)
                || SaysTwoLogs(Described(cluster, 1))
                || SaysTwoLogs(Described(cluster, 2)));
        Assert.True(twins.Count(replica => replica.State == ReplicaState.Serving) <= 1);
        if (twins.Any(replica => replica.State == ReplicaState.Serving))
        {
            var client = new StorageClient(cluster, 1, StorageClient.NewId());
            Assert.Equal(1, await Eventually.SucceedsAsync(() => client.WriteAndReadAsync(1)));
        }
    }

    [Fact]
    public async Task Silos_that_started_alone_without_a_replica_list_do_not_work_side_by_side()
    {
        ClusterPlan.SkipUnlessFiles();
        await using var cluster = await TestedCluster.DeployAsync(new()
        {
            Directory = _directory.Path,
            Silos = 2,
            Store = (_, options) => (options.Replicas, options.ReplicaId) = ([], null),
        });

        for (var silo = 0; silo < 2; silo++)
        {
            var client = new StorageClient(cluster, silo, StorageClient.NewId());
            var failure = await Eventually.SucceedsAsync(
                () => Assert.ThrowsAsync<ConsensusUnavailableException>(client.ReadAsync));
            Assert.Contains("two different stores", failure.Message, StringComparison.Ordinal);
            Assert.Contains("same Replicas", failure.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_silo_with_another_group_count_gets_no_service_and_does_no_harm()
    {
        await using var cluster = await TestedCluster.StartAsync(_plan with
        {
            Store = (silo, options) => options.Groups = silo == 3 ? 8 : 4,
        });
        await cluster.StartSiloAsync(3);

        // Of whichever of its groups: there are none beyond those of the others.
        await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => Assert.ThrowsAsync<ConsensusUnavailableException>(
            () => new StorageClient(cluster, 3, StorageClient.NewId()).WriteAsync(1))));

        Assert.All(await cluster.StatusAsync(1), replica =>
        {
            Assert.Equal(ConsensusReplicaState.Serving, replica.State);
            Assert.NotEqual(cluster.Address(3).ToParsableString(), replica.Host);
        });
        Assert.Equal(1, await new StorageClient(cluster, 2, StorageClient.NewId()).WriteAndReadAsync(1));
    }

    private static bool SaysTwoLogs(ReplicaDescription replica) =>
        replica.Problem?.Contains("two different logs", StringComparison.Ordinal) == true;

    private static ReplicaDescription Described(TestedCluster cluster, int silo) =>
        cluster.Services(silo).GetRequiredService<TransportTargets>()
            .TryGet(ConsensusStoreOptions.DefaultStoreName, out var target)
                ? target.Describe().Replicas.Single()
                : throw new InvalidOperationException("The silo has no store.");

    private static async Task<string> RefusalOfOneAsync(TestedCluster cluster)
    {
        var status = await Eventually.BecomesAsync(
            () => cluster.StatusAsync(0),
            seen => seen.Where(replica => replica.Replica == "r1")
                .All(replica => replica.State == ConsensusReplicaState.Refused));
        Assert.All(
            status.Where(replica => replica.Replica != "r1"),
            replica => Assert.Equal(ConsensusReplicaState.Serving, replica.State));
        var problems = status.Where(replica => replica.Replica == "r1").Select(replica => replica.Problem).Distinct();
        return Assert.Single(problems)
            ?? throw new InvalidOperationException("A refused replica has to say why.");
    }

    private static async Task AssertServedBySiloZeroAsync(TestedCluster cluster) => Assert.All(
        (await cluster.StatusAsync(1)).Where(replica => replica.Replica == "r0"),
        replica =>
        {
            Assert.Equal(ConsensusReplicaState.Serving, replica.State);
            Assert.Equal(cluster.Address(0).ToParsableString(), replica.Host);
        });
}
