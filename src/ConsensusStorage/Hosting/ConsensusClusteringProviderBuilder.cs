using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Consensus.Hosting;
using Orleans.Hosting;
using Orleans.Providers;
using Orleans.Runtime;

[assembly: Orleans.RegisterProvider("Consensus", "Clustering", "Silo", typeof(ConsensusClusteringProviderBuilder))]
[assembly: Orleans.RegisterProvider("Consensus", "Clustering", "Client", typeof(ConsensusClusteringProviderBuilder))]

namespace Orleans.Consensus.Hosting;

/// <summary>
/// Sets clustering up from <c>Orleans:Clustering</c> with <c>ProviderType</c> Consensus. The section takes every
/// option, and <c>Directory</c>, <c>ConnectionString</c> and <c>ServiceKey</c> for a single place.
/// </summary>
internal sealed class ConsensusClusteringProviderBuilder
    : IProviderBuilder<ISiloBuilder>, IProviderBuilder<IClientBuilder>
{
    private static readonly string[] Known =
    [
        "ProviderType",
        "Directory",
        "ConnectionString",
        "ServiceKey",
        nameof(ConsensusClusteringOptions.Directories),
        nameof(ConsensusClusteringOptions.ConnectionStrings),
        nameof(ConsensusClusteringOptions.ServiceKeys),
        nameof(ConsensusClusteringOptions.ContainerName),
        nameof(ConsensusClusteringOptions.BlobTryTimeout),
        nameof(ConsensusClusteringOptions.RequestTimeout),
    ];

    public void Configure(ISiloBuilder builder, string? name, IConfigurationSection configurationSection) =>
        builder.UseConsensusClustering(options => Read(options, configurationSection));

    public void Configure(IClientBuilder builder, string? name, IConfigurationSection configurationSection) =>
        builder.UseConsensusClustering(options => Read(options, configurationSection));

    private static void Read(OptionsBuilder<ConsensusClusteringOptions> builder, IConfigurationSection section) =>
        builder.Configure(options =>
        {
            KnownKeys.Require(section, Known);
            Add(options.Directories, section["Directory"]);
            Add(options.ConnectionStrings, section["ConnectionString"]);
            Add(options.ServiceKeys, section["ServiceKey"]);
            Bind(section, options);
        });

    private static void Bind(IConfigurationSection section, ConsensusClusteringOptions options)
    {
        try
        {
            section.Bind(options);
        }
        catch (InvalidOperationException exception)
        {
            throw new OrleansConfigurationException(
                $"The configuration section {section.Path} has a value that is wrong: {exception.Message}", exception);
        }
    }

    private static void Add(IList<string> places, string? place)
    {
        if (!string.IsNullOrEmpty(place))
        {
            places.Add(place);
        }
    }
}
