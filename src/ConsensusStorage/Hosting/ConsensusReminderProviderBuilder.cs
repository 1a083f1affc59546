using Microsoft.Extensions.Configuration;
using Orleans.Consensus.Hosting;
using Orleans.Hosting;
using Orleans.Providers;

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
        KnownKeys.Require(
            configurationSection, Known, advice: " Options of the store stand in Orleans:ConsensusStores.");
        builder.UseConsensusReminders(StoreConfiguration.StoreNameIn(configurationSection));
    }
}
