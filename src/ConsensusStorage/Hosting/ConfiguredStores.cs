using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Consensus.Transport;

namespace Orleans.Consensus.Hosting;

/// <summary>
/// Which stores and providers a silo has, with their options: stores that were asked for by name, and those that
/// providers name in their options. Does not: create anything. Thread-safe.
/// </summary>
internal sealed class ConfiguredStores(
    ConsensusRegistrations registrations,
    IOptionsMonitor<ConsensusStoreOptions> stores,
    IOptionsMonitor<ConsensusGrainStorageOptions> providers,
    IConfiguration? configuration = null)
{
    /// <summary>Names of all stores, each once.</summary>
    public IReadOnlyList<string> Names { get; } =
    [
        .. registrations.Stores
            .Concat(registrations.Providers.Select(provider => providers.Get(provider).StoreName))
            .Distinct(StringComparer.Ordinal),
    ];

    public IReadOnlyList<string> Providers => registrations.Providers;

    /// <summary>The secrets of this silo's messages: those of any store which has some.</summary>
    public TransportOptions Transport => new(
        Names.Select(name => this[name].ClusterSecret).FirstOrDefault(secret => secret is not null),
        Names.Select(name => this[name].AlternateClusterSecret).FirstOrDefault(secret => secret is not null));

    /// <summary>Names of the stores that the application adds itself or sets options of, used or not.</summary>
    public IEnumerable<string> SetUp => Names
        .Where(IsSetUp)
        .Concat(StoreConfiguration.SectionsIn(configuration))
        .Distinct(StringComparer.Ordinal);

    public ConsensusStoreOptions this[string store] => stores.Get(store);

    /// <summary>Whether the application adds that store itself, or sets any of its options.</summary>
    public bool IsSetUp(string store) =>
        registrations.Named.Contains(store, StringComparer.Ordinal) || !StoreConfiguration.IsUntouched(this[store]);

    public ConsensusGrainStorageOptions Provider(string name) => providers.Get(name);
}
