using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;

namespace Orleans.Consensus.Hosting;

/// <summary>Refuses health checks of a store that a host doesn't have, when it starts.</summary>
internal sealed class HealthCheckValidator(IServiceProvider services, string store) : IConfigurationValidator
{
    /// <exception cref="OrleansConfigurationException">There is no such store.</exception>
    public void ValidateConfiguration()
    {
        var known = services.GetService<ConfiguredStores>()?.Names ?? [];
        if (!known.Contains(store, StringComparer.Ordinal))
        {
            throw Refusal(store, known);
        }
    }

    /// <summary>What to say where there is none.</summary>
    public static OrleansConfigurationException Refusal(string store, IReadOnlyList<string> known) => new(
        $"There is no consensus store '{store}' in this host. Known stores: "
        + $"{(known.Count == 0 ? "none" : string.Join(", ", known))}. Add it with UseConsensusStore or "
        + "AddConsensusGrainStorage to the silo, or name another one in AddConsensusStorage.");
}
