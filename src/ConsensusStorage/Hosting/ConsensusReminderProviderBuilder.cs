using Microsoft.Extensions.Configuration;
using Orleans.Configuration;
using Orleans.Consensus.Hosting;
using Orleans.Hosting;
using Orleans.Providers;
using Orleans.Runtime;

[assembly: Orleans.RegisterProvider("Consensus", "Reminders", "Silo", typeof(ConsensusReminderProviderBuilder))]

namespace Orleans.Consensus.Hosting;

/// <summary>
/// Sets reminders up from <c>Orleans:Reminders</c> with <c>ProviderType</c> Consensus, and <c>StoreName</c> for another
/// store than <c>Default</c>.
/// </summary>
internal sealed class ConsensusReminderProviderBuilder : IProviderBuilder<ISiloBuilder>
{
    private static readonly string[] Known = ["ProviderType", StoreConfiguration.StoreNameKey];

    public void Configure(ISiloBuilder builder, string? name, IConfigurationSection configurationSection)
    {
        // A misspelt key would be a silent default.
        if (configurationSection.GetChildren().FirstOrDefault(
            child => !Known.Contains(child.Key, StringComparer.OrdinalIgnoreCase)) is { } unknown)
        {
            throw new OrleansConfigurationException(
                $"The configuration key {unknown.Path} is unknown. Known keys: {string.Join(", ", Known)}. Options of "
                + "the store stand in Orleans:ConsensusStores.");
        }

        builder.UseConsensusReminders(
            configurationSection[StoreConfiguration.StoreNameKey] ?? ConsensusStoreOptions.DefaultStoreName);
    }
}
