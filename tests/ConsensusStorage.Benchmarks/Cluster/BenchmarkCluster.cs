using Microsoft.Extensions.DependencyInjection;
using Orleans.Storage;
using Orleans.TestingHost;

namespace Orleans.Consensus.Benchmarks.Cluster;

/// <summary>Three silos and a client in this process over loopback TCP, with all providers of the run.</summary>
internal sealed class BenchmarkCluster : IAsyncDisposable
{
    public const int Silos = 3;

    private readonly TestCluster _cluster;

    private BenchmarkCluster(TestCluster cluster, RedisServer? redis)
    {
        _cluster = cluster;
        Redis = redis;
    }

    public IGrainFactory Grains => _cluster.GrainFactory;

    public RedisServer? Redis { get; }

    public static async Task<BenchmarkCluster> StartAsync(
        IReadOnlyList<string> providers, string data, CancellationToken cancellationToken)
    {
        var redis = providers.Contains(Provider.Redis)
            ? await RedisServer.StartAsync(Path.Combine(data, "redis"), cancellationToken)
            : null;
        try
        {
            var builder = new TestClusterBuilder(Silos);
            builder.Options.ConnectionTransport = ConnectionTransportType.TcpSocket;
            builder.Options.ConfigureFileLogging = false;
            builder.Properties[BenchmarkSilo.ProvidersKey] = string.Join(',', providers);
            builder.Properties[BenchmarkSilo.DataKey] = data;
            builder.Properties[BenchmarkSilo.RedisKey] = redis?.Address;
            builder.AddSiloBuilderConfigurator<BenchmarkSilo>();
            var cluster = builder.Build();
            await cluster.DeployAsync(cancellationToken);
            return new(cluster, redis);
        }
        catch
        {
            if (redis is not null)
            {
                await redis.DisposeAsync();
            }

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
        if (Redis is not null)
        {
            await Redis.DisposeAsync();
        }
    }
}
