using System.Diagnostics.Metrics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Consensus;
using Orleans.Consensus.Diagnostics;
using Orleans.Consensus.Hosting;
using Orleans.Consensus.Transport;
using Orleans.Providers;
using Orleans.Runtime;
using Orleans.Runtime.Hosting;
using Orleans.Serialization.Serializers;
using Orleans.Storage;

namespace Orleans.Hosting;

/// <summary>
/// Adds consensus stores and grain storage on them to a silo's services. Repeating a verb adds nothing twice; its
/// options delegates run one after the other. For use while services are configured, on one thread.
/// </summary>
public static class ConsensusServiceCollectionExtensions
{
    /// <summary>Adds the store <c>Default</c>, or configures it further.</summary>
    /// <param name="configure">Sets the store's options.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static IServiceCollection UseConsensusStore(
        this IServiceCollection services, Action<ConsensusStoreOptions> configure) =>
        services.UseConsensusStore(ConsensusStoreOptions.DefaultStoreName, configure);

    /// <summary>Adds the store <c>Default</c>, or configures it further.</summary>
    /// <param name="configure">Sets the store's options, or null.</param>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> is null.</exception>
    public static IServiceCollection UseConsensusStore(
        this IServiceCollection services, Action<OptionsBuilder<ConsensusStoreOptions>>? configure = null) =>
        services.UseConsensusStore(ConsensusStoreOptions.DefaultStoreName, configure);

    /// <summary>Adds a store, or configures it further.</summary>
    /// <param name="name">
    /// The store's name, equal on all silos: 1–64 characters out of <c>a–z A–Z 0–9 - _ .</c>, not beginning with a dot.
    /// </param>
    /// <param name="configure">Sets the store's options.</param>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty.</exception>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static IServiceCollection UseConsensusStore(
        this IServiceCollection services, string name, Action<ConsensusStoreOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        return services.UseConsensusStore(name, options => options.Configure(configure));
    }

    /// <summary>Adds a store, or configures it further.</summary>
    /// <param name="name">
    /// The store's name, equal on all silos: 1–64 characters out of <c>a–z A–Z 0–9 - _ .</c>, not beginning with a dot.
    /// </param>
    /// <param name="configure">Sets the store's options, or null.</param>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty.</exception>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> is null.</exception>
    public static IServiceCollection UseConsensusStore(
        this IServiceCollection services, string name, Action<OptionsBuilder<ConsensusStoreOptions>>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        services.AddStoreInUse(name);
        RegistrationsIn(services).NameStore(name);
        configure?.Invoke(services.AddOptions<ConsensusStoreOptions>(name));
        return services;
    }

    /// <summary>Adds a consensus store as the default grain storage.</summary>
    /// <param name="configure">Sets the provider's options.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static IServiceCollection AddConsensusGrainStorageAsDefault(
        this IServiceCollection services, Action<ConsensusGrainStorageOptions> configure) =>
        services.AddConsensusGrainStorage(ProviderConstants.DEFAULT_STORAGE_PROVIDER_NAME, configure);

    /// <summary>Adds a consensus store as the default grain storage.</summary>
    /// <param name="configure">Sets the provider's options, or null.</param>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> is null.</exception>
    public static IServiceCollection AddConsensusGrainStorageAsDefault(
        this IServiceCollection services, Action<OptionsBuilder<ConsensusGrainStorageOptions>>? configure = null) =>
        services.AddConsensusGrainStorage(ProviderConstants.DEFAULT_STORAGE_PROVIDER_NAME, configure);

    /// <summary>Adds a consensus store as a named grain storage.</summary>
    /// <param name="name">
    /// The provider's name, not beginning with a dot. It is part of the key of each state: renaming it loses them.
    /// </param>
    /// <param name="configure">Sets the provider's options.</param>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty.</exception>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static IServiceCollection AddConsensusGrainStorage(
        this IServiceCollection services, string name, Action<ConsensusGrainStorageOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        return services.AddConsensusGrainStorage(name, options => options.Configure(configure));
    }

    /// <summary>Adds a consensus store as a named grain storage.</summary>
    /// <param name="name">
    /// The provider's name, not beginning with a dot. It is part of the key of each state: renaming it loses them.
    /// </param>
    /// <param name="configure">Sets the provider's options, or null.</param>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty.</exception>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> is null.</exception>
    public static IServiceCollection AddConsensusGrainStorage(
        this IServiceCollection services,
        string name,
        Action<OptionsBuilder<ConsensusGrainStorageOptions>>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        if (RegistrationsIn(services).AddProvider(name))
        {
            services.ConfigureNamedOptionForLogging<ConsensusGrainStorageOptions>(name);
            services.AddGrainStorage(name, CreateStorage);
        }

        configure?.Invoke(services.AddOptions<ConsensusGrainStorageOptions>(name));
        return services;
    }

    /// <summary>Adds a store that something uses, and that is expected to be set up elsewhere.</summary>
    internal static void AddStoreInUse(this IServiceCollection services, string name)
    {
        if (RegistrationsIn(services).AddStore(name))
        {
            services.ConfigureNamedOptionForLogging<ConsensusStoreOptions>(name);
            services.AddKeyedSingleton(name, StoreByName);
        }
    }

    /// <summary>Remembers a configuration section of a provider; its store takes settings from it.</summary>
    internal static void AddProviderSection(this IServiceCollection services, ProviderSection section) =>
        RegistrationsIn(services).AddSection(section);

    /// <summary>What the verbs were asked for so far. The first call adds what all stores of a silo share.</summary>
    private static ConsensusRegistrations RegistrationsIn(IServiceCollection services)
    {
        if (ConsensusRegistrations.Find(services) is { } known)
        {
            return known;
        }

        var registrations = new ConsensusRegistrations();
        services.AddSingleton(registrations);
        services.AddSingleton<ConfiguredStores>();
        services.AddSingleton<ConsensusStores>();
        services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(
            provider => provider.GetRequiredService<ConsensusStores>());
        services.AddSingleton(provider => new ConsensusInstruments(
            provider.GetService<IMeterFactory>(), provider.GetRequiredService<ILocalSiloDetails>().Name));
        services.AddSingleton<IConfigureOptions<ConsensusStoreOptions>>(
            provider => new StoreConfiguration(registrations, provider.GetService<IConfiguration>()));
        services.AddSingleton<
            IPostConfigureOptions<ConsensusGrainStorageOptions>,
            DefaultStorageProviderSerializerOptionsConfigurator<ConsensusGrainStorageOptions>>();
        services.AddSingleton<IConfigurationValidator, ConsensusOptionsValidator>();

        // A provider's options may name a store that no verb has named.
        services.AddKeyedSingleton(KeyedService.AnyKey, StoreByName);
        services.AddSingleton(
            provider => provider.GetRequiredService<ConfiguredStores>().Transport);
        services.AddConsensusTransport();
        return registrations;
    }

    private static IConsensusStore StoreByName(IServiceProvider services, object? name) =>
        services.GetRequiredService<ConsensusStores>().Find((string)name!)!;

    private static ConsensusGrainStorage CreateStorage(IServiceProvider services, string name)
    {
        var options = services.GetRequiredService<IOptionsMonitor<ConsensusGrainStorageOptions>>().Get(name);
        var store = services.GetRequiredService<ConsensusStores>().Find(options.StoreName)
            ?? throw new OrleansConfigurationException(
                $"Grain storage provider '{name}' uses consensus store '{options.StoreName}', which does not exist.");
        var service = services.GetRequiredService<IOptions<ClusterOptions>>().Value.ServiceId;
        return new(
            new(service, name, store.MaxStateBytes, options.GrainStorageSerializer)
            {
                Time = StoreClock.Of(services),
            },
            store.Engine,
            services.GetRequiredService<IActivatorProvider>(),
            services.GetRequiredService<ILogger<ConsensusGrainStorage>>());
    }
}
