using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;
using Orleans.Consensus.Hosting;
using Orleans.Hosting;
using Orleans.Providers;
using Orleans.Runtime;
using Orleans.Storage;

[assembly: Orleans.RegisterProvider("Consensus", "GrainStorage", "Silo", typeof(ConsensusGrainStorageProviderBuilder))]

namespace Orleans.Consensus.Hosting;

/// <summary>
/// Sets a provider and its store up from <c>Orleans:GrainStorage:(name)</c> with <c>ProviderType</c> Consensus. The
/// section takes <c>StoreName</c>, <c>SerializerKey</c> and every option of the store.
/// </summary>
internal sealed class ConsensusGrainStorageProviderBuilder : IProviderBuilder<ISiloBuilder>
{
    public void Configure(ISiloBuilder builder, string? name, IConfigurationSection configurationSection)
    {
        var provider = name ?? ProviderConstants.DEFAULT_STORAGE_PROVIDER_NAME;
        var store = StoreConfiguration.StoreNameIn(configurationSection);
        builder.Services.AddProviderSection(new(provider, store, configurationSection));
        builder.Services.AddStoreInUse(store);
        builder.AddConsensusGrainStorage(
            provider,
            options => options.Configure<IServiceProvider>((provided, services) =>
            {
                provided.StoreName = store;
                if (SerializerIn(configurationSection, services) is { } serializer)
                {
                    provided.GrainStorageSerializer = serializer;
                }
            }));
    }

    private static IGrainStorageSerializer? SerializerIn(IConfigurationSection section, IServiceProvider services)
    {
        var key = section[StoreConfiguration.SerializerKey];
        return string.IsNullOrEmpty(key)
            ? null
            : services.GetKeyedService<IGrainStorageSerializer>(key)
                ?? throw new OrleansConfigurationException(
                    $"The configuration key {section.Path}:{StoreConfiguration.SerializerKey} names '{key}', but no "
                    + $"{nameof(IGrainStorageSerializer)} is registered under that key.");
    }
}
