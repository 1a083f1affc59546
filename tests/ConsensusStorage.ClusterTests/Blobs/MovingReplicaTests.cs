using Microsoft.Extensions.DependencyInjection;
using Orleans.Consensus.ClusterTests.Support;

namespace Orleans.Consensus.ClusterTests.Blobs;

/// <summary>Replicas float from silo to silo while grains write.</summary>
public sealed class MovingReplicaTests
{
    [Fact]
    public async Task From_one_silo_to_five_and_back_to_two_nothing_acknowledged_is_lost()
    {
        await using var cluster = await TestedCluster.StartAsync(new() { Blobs = true, Silos = 1 });
        await using var load = CounterLoad.Start(cluster.Client, clients: 4);
        await load.ProgressAsync(10);
        await Task.WhenAll(Enumerable.Range(1, 4).Select(cluster.StartSiloAsync));
        await load.ProgressAsync(10);

        // Those that were fetched away are on five silos, those of a group on different ones.
        await Eventually.BecomesAsync(() => cluster.StatusAsync(0), status => AreSpread(status, silos: 5));
        foreach (var silo in new[] { 0, 2, 4 })
        {
            await cluster.StopAsync(silo);
            await load.ProgressAsync(5);
        }

        await cluster.UntilAllServeAsync();
        await Eventually.BecomesAsync(() => cluster.StatusAsync(1), status => HostsOf(status) == 2);
        await load.ProgressAsync(5);
        await load.VerifyAsync();
    }

    [Fact]
    public async Task A_silo_that_is_stopped_hands_its_replicas_over_and_no_call_fails_twice()
    {
        await using var cluster = await TestedCluster.StartAsync(new()
        {
            Blobs = true,
            Silo = (_, silo) => LastLook.AddTo(silo.Services),
        });
        await using var load = CounterLoad.Start(cluster.Client, clients: 2);
        using var enough = new CancellationTokenSource();
        var writers = Enumerable.Range(0, 4).Select(number => Task.Run(async () =>
        {
            var client = new StorageClient(cluster, number % 2, StorageClient.NewId());
            var value = 0;
            while (!enough.IsCancellationRequested)
            {
                await WriteWithOneRetryAsync(client, ++value);
            }

            return (Expected: value, Found: await client.ReadAsync());
        })).ToList();
        await load.ProgressAsync(10);
        Assert.Equal(3, HostsOf(await cluster.StatusAsync(0)));

        var leaver = cluster.Address(2).ToParsableString();
        var look = cluster.Services(2).GetRequiredService<LastLook>();
        await cluster.StopAsync(2);
        Assert.All(await look.Status!, replica => Assert.NotEqual(leaver, replica.Host));
        await cluster.UntilAllServeAsync();
        await load.ProgressAsync(10);
        await enough.CancelAsync();

        Assert.All(await Task.WhenAll(writers), written => Assert.Equal(written.Expected, written.Found));
        await load.VerifyAsync();
    }

    private static async Task WriteWithOneRetryAsync(StorageClient client, int value)
    {
        try
        {
            await client.WriteAsync(value);
        }
        catch (ConsensusStorageException)
        {
            await client.RetryAsync();
        }
    }

    private static bool AreSpread(IReadOnlyList<ConsensusReplicaStatus> status, int silos) =>
        status.All(replica => replica.State == ConsensusReplicaState.Serving)
        && HostsOf(status) == silos
        && status.GroupBy(replica => replica.Group).All(group => HostsOf(group) == group.Count());

    private static int HostsOf(IEnumerable<ConsensusReplicaStatus> status) =>
        status.Select(replica => replica.Host).Distinct().Count();
}
