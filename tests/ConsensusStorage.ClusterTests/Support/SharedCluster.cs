using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Serialization;
using Orleans.Storage;

namespace Orleans.Consensus.ClusterTests.Support;

/// <summary>
/// Three silos that tests share if they break nothing: the default provider with JSON, one with Orleans' own
/// serializer, one that stores bytes as they are, a second one like the default, and one on another store.
/// </summary>
public sealed class SharedCluster : IAsyncLifetime
{
    public const string Json = "Default";
    public const string Binary = "binary";
    public const string Raw = "raw";
    public const string Second = "second";
    public const string OtherStore = "elsewhere";
    public const string Memory = "memory";

    public const int MaxStateBytes = 2 * 1024 * 1024;

    private readonly TemporaryDirectory _directory = new();
    private TestedCluster? _cluster;

    internal TestedCluster Cluster => _cluster!;

    public async ValueTask InitializeAsync() => _cluster = await TestedCluster.StartAsync(new()
    {
        Directory = _directory.Path,
        RequestTimeout = TimeSpan.FromSeconds(20),
        Stores = [ConsensusStoreOptions.DefaultStoreName, OtherStore],
        Store = (_, options) => options.MaxStateBytes = MaxStateBytes,
        Silo = (_, silo) => Configure(silo),
    });

    public async ValueTask DisposeAsync()
    {
        if (_cluster is not null)
        {
            await _cluster.DisposeAsync();
        }

        _directory.Dispose();
    }

    private static void Configure(ISiloBuilder silo)
    {
        silo.AddConsensusGrainStorage(Second);
        silo.AddMemoryGrainStorage(Memory);
        silo.AddConsensusGrainStorage(
            Raw, (ConsensusGrainStorageOptions options) => options.GrainStorageSerializer = new RawSerializer());
        silo.AddConsensusGrainStorage(
            OtherStore, (ConsensusGrainStorageOptions options) => options.StoreName = OtherStore);
        silo.AddConsensusGrainStorage(Binary, builder => builder.Configure<Serializer>(
            (options, serializer) => options.GrainStorageSerializer = new OrleansGrainStorageSerializer(serializer)));
    }
}

/// <summary>All classes that use <see cref="SharedCluster"/>.</summary>
[CollectionDefinition(nameof(SharedCluster))]
public sealed class SharedClusterDefinition : ICollectionFixture<SharedCluster>;
