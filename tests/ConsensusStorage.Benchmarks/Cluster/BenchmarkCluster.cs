using Microsoft.Extensions.DependencyInjection;
using Orleans.Storage;
using Orleans.TestingHost;

namespace Orleans.Consensus.Benchmarks.Cluster;

/// <summary>Three silos and a client in this process over loopback TCP, with all providers of the run.</summary>
internal sealed class BenchmarkCluster : IAsyncDisposable
{
    public const int Silos = 3;

    private readonly TestCluster _cluster;

    private BenchmarkCluster(TestCluster cluster, BenchmarkServers servers)
    {
        _cluster = cluster;
        Servers = servers;
    }

    public IGrainFactory Grains => _cluster.GrainFactory;

    public BenchmarkServers Servers { get; }

    public static async Task<BenchmarkCluster> StartAsync(
        BenchmarkOptions options, string data, CancellationToken cancellationToken)
    {
        var servers = await BenchmarkServers.StartAsync(options.Servers, data, cancellationToken);
        try
        {
            var builder = new TestClusterBuilder(Silos);
            builder.Options.ConnectionTransport = ConnectionTransportType.TcpSocket;
            builder.Options.ConfigureFileLogging = false;
            builder.Properties[BenchmarkSilo.ProvidersKey] = string.Join(',', options.Providers);
            builder.Properties[BenchmarkSilo.DataKey] = data;
            builder.Properties[BenchmarkSilo.RedisKey] = servers.RedisAddress;
            builder.Properties[BenchmarkSilo.BlobsKey] = string.Join(BenchmarkSilo.Separator, servers.BlobAccounts);
            builder.AddSiloBuilderConfigurator<BenchmarkSilo>();
            var cluster = builder.Build();
            await cluster.DeployAsync(cancellationToken);
            return new(cluster, servers);
        }
        catch
        {
            await servers.DisposeAsync();
            throw;
        }
    }

    /// <summary>A provider as the grains of one silo have it.</summary>
    public IGrainStorage Storage(int silo, string provider) => _cluster
        .GetSiloServiceProvider(_cluster.Silos[silo % Silos].SiloAddress)
        .GetRequiredKeyedService<IGrainStorage>(provider);

    /// <summary>The serializer that providers use unless told otherwise.</summary>
    public IGrainStorageSerializer Serializer => _cluster
        .GetSiloServiceProvider(_cluster.Silos[0].SiloAddress)
        .GetRequiredService<IGrainStorageSerializer>();

    public async ValueTask DisposeAsync()
    {
        await _cluster.StopAllSilosAsync();
        await _cluster.DisposeAsync();
        await Servers.DisposeAsync();
    }
}
