using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Orleans.Consensus.Hosting;

/// <summary>
/// The clock that drives stores, reminders and clustering. It is keyed, and the key has a registration of its own:
/// Orleans answers every other key with the application's clock, which in tests often stands still.
/// </summary>
internal static class StoreClock
{
    /// <summary>Adds the system's clock, unless the application has given another one for this key.</summary>
    public static void AddStoreClock(this IServiceCollection services) =>
        services.TryAddKeyedSingleton(ConsensusTimeProviderNames.Consensus, TimeProvider.System);

    public static TimeProvider Of(IServiceProvider services) =>
        services.GetRequiredKeyedService<TimeProvider>(ConsensusTimeProviderNames.Consensus);
}
