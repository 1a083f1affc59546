using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orleans.Consensus.Transport;
using Orleans.Hosting;
using Orleans.Runtime;

namespace Orleans.Consensus.Hosting;

/// <summary>Puts the transport into a silo.</summary>
internal static class TransportServices
{
    /// <summary>
    /// Adds the transport, once, however often it is called. <see cref="TransportOptions"/> registered before this
    /// call are kept. Every resolved <see cref="IMembershipView"/> is a reader of its own.
    /// </summary>
    public static IServiceCollection AddConsensusTransport(this IServiceCollection services)
    {
        services.TryAddSingleton(new TransportOptions(ClusterSecret: null));
        if (services.Any(service => service.ServiceType == typeof(ConsensusGrainServiceClient)))
        {
            return services;
        }

        services.AddStoreClock();
        services.AddSingleton<TransportTargets>();
        services.AddSingleton<ConsensusGrainServiceClient>();
        services.AddGrainService<ConsensusGrainService>();
        services.AddSingleton<OrleansMembershipView>();
        services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(
            provider => provider.GetRequiredService<OrleansMembershipView>());
        services.AddTransient<IMembershipView>(
            provider => provider.GetRequiredService<OrleansMembershipView>().CreateReader());
        services.AddSingleton<ITransport>(provider => new OrleansTransport(
            provider.GetRequiredService<ILocalSiloDetails>(),
            provider.GetRequiredService<ConsensusGrainServiceClient>(),
            provider.GetRequiredService<TransportTargets>(),
            provider.GetRequiredService<TransportOptions>(),
            Random.Shared));
        return services;
    }
}
