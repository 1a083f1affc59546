using Orleans.Consensus.Benchmarks.Bank;

namespace Orleans.Consensus.Benchmarks;

/// <summary>A grain storage provider that takes part.</summary>
/// <param name="Name">Its name in the silos and in results.</param>
/// <param name="Account">The grain that keeps its state with this provider.</param>
internal sealed record Provider(string Name, Func<IGrainFactory, string, IBankAccount> Account)
{
    public const string Consensus = "consensus";
    public const string Memory = "memory";
    public const string Redis = "redis";

    public static readonly IReadOnlyList<Provider> All =
    [
        new(Consensus, (grains, key) => grains.GetGrain<IConsensusAccount>(key)),
        new(Memory, (grains, key) => grains.GetGrain<IMemoryAccount>(key)),
        new(Redis, (grains, key) => grains.GetGrain<IRedisAccount>(key)),
    ];

    public static Provider Of(string name) => All.Single(provider => provider.Name == name);
}
