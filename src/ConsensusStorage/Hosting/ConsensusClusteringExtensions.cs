using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Consensus.Clustering;
using Orleans.Consensus.Hosting;
using Orleans.Messaging;
using Orleans.Runtime;

namespace Orleans.Hosting;

/// <summary>
/// Keeps the membership of a cluster in documents, in the directories or storage accounts that its logs are in: no
/// database, and no silo, has to be up for it.
/// </summary>
public static class ConsensusClusteringExtensions
{
    /// <summary>Lets a silo take part in a cluster whose membership is in documents.</summary>
    /// <param name="configure">Says where they are.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static ISiloBuilder UseConsensusClustering(
        this ISiloBuilder builder, Action<ConsensusClusteringOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        return builder.UseConsensusClustering(options => options.Configure(configure));
    }

    /// <summary>Lets a silo take part in a cluster whose membership is in documents.</summary>
    /// <param name="configure">Says where they are, or null.</param>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    public static ISiloBuilder UseConsensusClustering(
        this ISiloBuilder builder, Action<OptionsBuilder<ConsensusClusteringOptions>>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        AddMembership(builder.Services, configure);
        builder.Services.AddSingleton<IMembershipTable, ConsensusMembershipTable>();
        builder.Services.TryAddEnumerable(
            ServiceDescriptor.Singleton<ILifecycleParticipant<ISiloLifecycle>, MembershipCheck>());
        return builder;
    }

    /// <summary>Lets a client find the gateways of a cluster whose membership is in documents.</summary>
    /// <param name="configure">Says where they are.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static IClientBuilder UseConsensusClustering(
        this IClientBuilder builder, Action<ConsensusClusteringOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        return builder.UseConsensusClustering(options => options.Configure(configure));
    }

    /// <summary>Lets a client find the gateways of a cluster whose membership is in documents.</summary>
    /// <param name="configure">Says where they are, or null.</param>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    public static IClientBuilder UseConsensusClustering(
        this IClientBuilder builder, Action<OptionsBuilder<ConsensusClusteringOptions>>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        AddMembership(builder.Services, configure);
        builder.Services.AddSingleton<IGatewayListProvider, ConsensusGatewayListProvider>();
        return builder;
    }

    private static void AddMembership(
        IServiceCollection services, Action<OptionsBuilder<ConsensusClusteringOptions>>? configure)
    {
        services.AddStoreClock();
        services.TryAddSingleton(MembershipPlaces.MembershipOf);
        services.TryAddEnumerable(
            ServiceDescriptor.Singleton<IConfigurationValidator, ConsensusClusteringValidator>());
        services.ConfigureFormatter<ConsensusClusteringOptions>();
        configure?.Invoke(services.AddOptions<ConsensusClusteringOptions>());
    }
}
