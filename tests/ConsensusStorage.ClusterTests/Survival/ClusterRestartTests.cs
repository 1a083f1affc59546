using Orleans.Consensus.ClusterTests.Support;
using Orleans.Runtime;

namespace Orleans.Consensus.ClusterTests.Survival;

/// <summary>All silos end and start again on the same directories.</summary>
public sealed class ClusterRestartTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_cluster_that_is_killed_under_load_has_everything_acknowledged_when_it_starts_again()
    {
        var plan = new ClusterPlan { Directory = _directory.Path };
        var id = StorageClient.NewId();
        var counters = Enumerable.Range(0, 5).Select(number => $"restart-{number}").ToList();
        var requests = new List<Guid>();
        GrainState<CounterState> written;
        await using (var cluster = await TestedCluster.StartAsync(plan))
        {
            var client = new StorageClient(cluster, 0, id);
            await client.WriteAsync(1);
            await client.WriteAsync(2);
            written = client.State;
            for (var number = 0; number < 20; number++)
            {
                var request = Guid.NewGuid();
                requests.Add(request);
                await Task.WhenAll(counters.Select(
                    counter => cluster.Client.GetGrain<ICounterGrain>(counter).AddAsync(request)));
            }
        }

        await using var again = await TestedCluster.StartAsync(plan);
        var reader = new StorageClient(again, 1, id);
        Assert.Equal(2, await reader.ReadAsync());
        Assert.Equal(written.ETag, reader.State.ETag);
        await reader.WriteAsync(3);
        foreach (var counter in counters)
        {
            var state = await again.Client.GetGrain<ICounterGrain>(counter).ReadAsync();
            Assert.Equal(requests, state.Requests);
            Assert.Equal(requests.Count, state.Value);
        }
    }

    [Fact]
    public async Task A_formed_store_starts_with_a_majority_of_its_silos()
    {
        var plan = new ClusterPlan { Directory = _directory.Path };
        var id = StorageClient.NewId();
        await using (var cluster = await TestedCluster.StartAsync(plan))
        {
            await new StorageClient(cluster, 0, id).WriteAsync(1);
        }

        await using var smaller = await TestedCluster.DeployAsync(plan with { Silos = 2 });
        Assert.Equal(1, await Eventually.SucceedsAsync(new StorageClient(smaller, 1, id).ReadAsync));
    }

    [Fact]
    public async Task A_new_store_serves_only_when_all_replicas_are_there()
    {
        ClusterPlan.SkipUnlessFiles();
        var plan = new ClusterPlan { Directory = _directory.Path, Silos = 2 };
        await using var cluster = await TestedCluster.DeployAsync(plan);
        var client = new StorageClient(cluster, 0, StorageClient.NewId());
        var unready = await Assert.ThrowsAsync<ConsensusUnavailableException>(() => client.WriteAsync(1));
        Assert.Contains("still missing: r2", unready.Message, StringComparison.Ordinal);
        Assert.All(
            (await cluster.StatusAsync(0)).Where(replica => replica.Host is not null),
            replica =>
            {
                Assert.Equal(ConsensusReplicaState.Forming, replica.State);
                Assert.Contains("still missing: r2", replica.Problem, StringComparison.Ordinal);
            });

        await cluster.StartSiloAsync(2);

        await Eventually.SucceedsAsync(client.RetryAsync);
    }
}
