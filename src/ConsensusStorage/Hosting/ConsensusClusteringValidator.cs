using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Runtime;

namespace Orleans.Consensus.Hosting;

/// <summary>Refuses clustering options that can't work, before the silo or client starts.</summary>
internal sealed class ConsensusClusteringValidator(IOptions<ConsensusClusteringOptions> configured)
    : IConfigurationValidator
{
    public void ValidateConfiguration()
    {
        var options = configured.Value;
        if (options.Directories is null || options.ConnectionStrings is null || options.ServiceKeys is null)
        {
            throw Wrong("Directories, ConnectionStrings or ServiceKeys", "is null", "have an entry for each place");
        }

        if (options.Places is not (1 or 3 or 5))
        {
            throw Wrong(
                "Directories, ConnectionStrings or ServiceKeys",
                $"name {options.Places} places",
                "name 1, 3 or 5, the same on all silos and clients of the cluster. An even number survives the loss of "
                + "no more places than one fewer");
        }

        if (options.Directories.Count is not 0 && options.Directories.Count != options.Places)
        {
            throw Wrong(nameof(options.Directories), "is not all", "be the only kind of places, or empty");
        }

        RequireDifferent(nameof(options.Directories), options.Directories.Select(DirectoryOf));
        RequireText(nameof(options.ConnectionStrings), options.ConnectionStrings);
        RequireText(nameof(options.ServiceKeys), options.ServiceKeys);
        RequireDifferent(nameof(options.ConnectionStrings), options.ConnectionStrings);
        RequireDifferent(nameof(options.ServiceKeys), options.ServiceKeys);
        if (options.Clients.Any(client => client is null))
        {
            throw Wrong(nameof(options.UseBlobs), "has a client that is null", "have one for each place");
        }

        Range(nameof(options.BlobTryTimeout), options.BlobTryTimeout, TimeSpan.FromMilliseconds(100), 1);
        Range(nameof(options.RequestTimeout), options.RequestTimeout, TimeSpan.FromSeconds(1), 10);
        if (!ConsensusOptionsValidator.IsContainerName(options.ContainerName))
        {
            throw Wrong(
                nameof(options.ContainerName),
                $"is '{options.ContainerName}'",
                "have 3–63 lower case letters, digits and single dashes between them");
        }
    }

    private static string DirectoryOf(string directory) => !ConsensusOptionsValidator.IsPath(directory)
        ? throw Wrong(nameof(ConsensusClusteringOptions.Directories), $"contains '{directory}'", "have paths")
        : Path.GetFullPath(directory);

    private static void RequireText(string option, IEnumerable<string> places)
    {
        if (places.Any(string.IsNullOrWhiteSpace))
        {
            throw Wrong(option, "has an empty entry", "have a text for each place");
        }
    }

    private static void RequireDifferent(string option, IEnumerable<string> places)
    {
        if (places.GroupBy(place => place, StringComparer.Ordinal).Any(group => group.Count() > 1))
        {
            throw Wrong(option, "names a place twice", "name each once: two documents in one place are lost together");
        }
    }

    private static void Range(string option, TimeSpan value, TimeSpan least, int mostMinutes)
    {
        if (value < least || value > TimeSpan.FromMinutes(mostMinutes))
        {
            throw Wrong(option, $"is {value}", $"be {least} to {TimeSpan.FromMinutes(mostMinutes)}");
        }
    }

    private static OrleansConfigurationException Wrong(string option, string value, string range) =>
        new($"Option {option} of consensus clustering {value}; it must {range}.");
}
