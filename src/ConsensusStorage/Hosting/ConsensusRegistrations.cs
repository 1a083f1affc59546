using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Orleans.Consensus.Hosting;

/// <summary>
/// What the hosting verbs were asked for, kept in the service collection itself, so that repeating a verb changes
/// nothing. Written while services are configured, on one thread; only read afterwards.
/// </summary>
internal sealed class ConsensusRegistrations
{
    private readonly List<string> _stores = [];
    private readonly List<string> _named = [];
    private readonly List<string> _providers = [];
    private readonly List<ProviderSection> _sections = [];

    /// <summary>Names of stores that were asked for by name; providers may add others through their options.</summary>
    public IReadOnlyList<string> Stores => _stores;

    /// <summary>Names of stores that the application itself adds, whether or not it sets options of them.</summary>
    public IReadOnlyList<string> Named => _named;

    /// <summary>Names of the grain storage providers.</summary>
    public IReadOnlyList<string> Providers => _providers;

    /// <summary>Configuration sections of providers.</summary>
    public IReadOnlyList<ProviderSection> Sections => _sections;

    public static ConsensusRegistrations? Find(IServiceCollection services) => services
        .Where(service => !service.IsKeyedService && service.ServiceType == typeof(ConsensusRegistrations))
        .Select(service => service.ImplementationInstance)
        .OfType<ConsensusRegistrations>()
        .FirstOrDefault();

    /// <summary>False if the store is known already.</summary>
    public bool AddStore(string name) => AddOnce(_stores, name);

    /// <summary>The application itself adds the store.</summary>
    public void NameStore(string name) => AddOnce(_named, name);

    /// <summary>False if the provider is known already.</summary>
    public bool AddProvider(string name) => AddOnce(_providers, name);

    public void AddSection(ProviderSection section) => _sections.Add(section);

    private static bool AddOnce(List<string> names, string name)
    {
        if (names.Contains(name, StringComparer.Ordinal))
        {
            return false;
        }

        names.Add(name);
        return true;
    }
}

/// <summary>A provider set up from configuration.</summary>
/// <param name="Provider">The provider's name.</param>
/// <param name="Store">The store the section names, or the default store.</param>
internal sealed record ProviderSection(string Provider, string Store, IConfigurationSection Section);
