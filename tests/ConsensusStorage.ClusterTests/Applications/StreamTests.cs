using Orleans.Consensus.ClusterTests.Support;
using Orleans.Hosting;
using Orleans.Runtime;
using Orleans.Streams;

namespace Orleans.Consensus.ClusterTests.Applications;

/// <summary>Streams whose subscriptions are in the provider.</summary>
public sealed class StreamTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly ClusterPlan _plan;

    public StreamTests() => _plan = new()
    {
        Directory = _directory.Path,
        RequestTimeout = TimeSpan.FromSeconds(8),
        Silo = (_, silo) => silo.AddConsensusGrainStorage("PubSubStore").AddMemoryStreams(ListenerGrain.Provider),
        Client = client => client.AddMemoryStreams(ListenerGrain.Provider),
    };

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_subscription_outlives_a_restarted_silo_and_a_restarted_cluster()
    {
        const string name = "listener";
        await using (var cluster = await TestedCluster.StartAsync(_plan))
        {
            await cluster.Client.GetGrain<IListenerGrain>(name).SubscribeAsync();
            await UntilHeardAsync(cluster.Client, name, 1);
            await cluster.StopAsync(1);
            await cluster.StartSiloAsync(1);
            await cluster.UntilAllServeAsync();
            await UntilHeardAsync(cluster.Client, name, 2);
        }

        await using var again = await TestedCluster.StartAsync(_plan);
        await UntilHeardAsync(again.Client, name, 3);
        var heard = await again.Client.GetGrain<IListenerGrain>(name).HeardAsync();
        Assert.Equal([1, 2, 3], heard.Distinct().Order());
    }

    /// <summary>Memory streams lose what is on its way when a silo ends: it is published until it is heard.</summary>
    internal static async Task UntilHeardAsync(IClusterClient client, string name, int number)
    {
        var stream = client.GetStreamProvider(ListenerGrain.Provider)
            .GetStream<int>(StreamId.Create("numbers", name));
        var listener = client.GetGrain<IListenerGrain>(name);
        await Eventually.SucceedsAsync(async () =>
        {
            await stream.OnNextAsync(number);
            await Eventually.BecomesAsync(
                listener.HeardAsync, heard => heard.Contains(number), TimeSpan.FromSeconds(3));
        });
    }
}
