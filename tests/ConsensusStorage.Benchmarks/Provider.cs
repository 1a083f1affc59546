using Orleans.Consensus.Benchmarks.Bank;
using Orleans.Consensus.Benchmarks.Cluster;

namespace Orleans.Consensus.Benchmarks;

/// <summary>A grain storage provider that takes part.</summary>
/// <param name="Name">Its name in the silos and in results.</param>
/// <param name="Account">The grain that keeps its state with this provider.</param>
/// <param name="Needs">The servers it needs.</param>
internal sealed record Provider(
    string Name, Func<IGrainFactory, string, IBankAccount> Account, ServerKind Needs = ServerKind.None)
{
    public const string Consensus = "consensus";
    /// <summary>The same, with each replica's logs in blobs of a storage account of its own.</summary>
    public const string ConsensusBlobs = "consensus-blobs";

    public const string Memory = "memory";
    public const string Redis = "redis";

    /// <summary>One blob per grain: a stand-in for Orleans' own provider for Azure blobs.</summary>
    public const string BlobPerGrain = "blob-per-grain";

    public static readonly IReadOnlyList<Provider> All =
    [
        new(Consensus, (grains, key) => grains.GetGrain<IConsensusAccount>(key)),
        new(Memory, (grains, key) => grains.GetGrain<IMemoryAccount>(key)),
        new(Redis, (grains, key) => grains.GetGrain<IRedisAccount>(key), ServerKind.Redis),
        new(ConsensusBlobs, (grains, key) => grains.GetGrain<IConsensusBlobAccount>(key), ServerKind.Azurite),
        new(BlobPerGrain, (grains, key) => grains.GetGrain<IBlobAccount>(key), ServerKind.Azurite),
    ];

    /// <summary>Those that keep everything in Azure blobs, for <see cref="BenchmarkMode.Blob"/>.</summary>
    public static IEnumerable<Provider> OverBlobs => All.Where(provider => provider.Needs == ServerKind.Azurite);

    public static Provider Of(string name) => All.Single(provider => provider.Name == name);
}
