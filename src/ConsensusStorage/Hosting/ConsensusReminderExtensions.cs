using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Consensus;
using Orleans.Consensus.Hosting;
using Orleans.Consensus.Reminders;
using Orleans.Serialization;
using Orleans.Serialization.Serializers;
using Orleans.Storage;

namespace Orleans.Hosting;

/// <summary>Keeps Orleans' reminders in a consensus store.</summary>
public static class ConsensusReminderExtensions
{
    /// <summary>The provider name in the registers of reminders. Others that begin with a dot are refused.</summary>
    internal const string Provider = ".reminders";

    /// <summary>Keeps the reminders of a silo in a consensus store, next to the states of its grains.</summary>
    /// <param name="store">
    /// The store's name, equal on all silos. Reminders are found again under the same name and ServiceId only.
    /// </param>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="store"/> is empty.</exception>
    public static ISiloBuilder UseConsensusReminders(
        this ISiloBuilder builder, string store = ConsensusStoreOptions.DefaultStoreName)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(store);
        builder.AddReminders();
        builder.Services.AddStoreInUse(store);
        builder.Services.TryAddSingleton<IReminderTable>(services => CreateTable(services, store));
        return builder;
    }

    private static ConsensusReminderTable CreateTable(IServiceProvider services, string store)
    {
        var host = services.GetRequiredService<ConsensusStores>().Find(store)!;
        var service = services.GetRequiredService<IOptions<ClusterOptions>>().Value.ServiceId;
        var serializer = new OrleansGrainStorageSerializer(services.GetRequiredService<Serializer>());
        var storage = new ConsensusGrainStorage(
            new(service, Provider, host.MaxStateBytes, serializer) { Time = StoreClock.Of(services) },
            host.Engine,
            services.GetRequiredService<IActivatorProvider>(),
            services.GetRequiredService<ILogger<ConsensusGrainStorage>>());
        var settings = new ReminderSettings { RequestTimeout = host.RequestTimeout };
        return new(storage, settings, StoreClock.Of(services), Random.Shared);
    }
}
