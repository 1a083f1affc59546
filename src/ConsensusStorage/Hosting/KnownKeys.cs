using Microsoft.Extensions.Configuration;
using Orleans.Runtime;

namespace Orleans.Consensus.Hosting;

/// <summary>The keys of a configuration section: a misspelt one would be a silent default.</summary>
internal static class KnownKeys
{
    /// <param name="advice">Where other keys belong, as a further sentence; or nothing.</param>
    /// <exception cref="OrleansConfigurationException">The section has others.</exception>
    public static void Require(
        IConfigurationSection section, IReadOnlyCollection<string> known, string advice = "")
    {
        if (section.GetChildren().FirstOrDefault(
            child => !known.Contains(child.Key, StringComparer.OrdinalIgnoreCase)) is { } unknown)
        {
            throw new OrleansConfigurationException(
                $"The configuration key {unknown.Path} is unknown. Known keys: {string.Join(", ", known)}.{advice}");
        }
    }
}
