using System.Collections.Immutable;
using Azure.Storage.Blobs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Consensus.Clustering;
using Orleans.Consensus.Clustering.Documents;
using Orleans.Consensus.Journaling.Blobs;
using Orleans.Runtime;

namespace Orleans.Consensus.Hosting;

/// <summary>The places of a cluster's membership, as its options name them.</summary>
internal static class MembershipPlaces
{
    /// <summary>A silo's or client's way to the membership.</summary>
    /// <exception cref="OrleansConfigurationException">
    /// An option is wrong, or a place can't be made of it.
    /// </exception>
    public static Membership MembershipOf(IServiceProvider services)
    {
        // Orleans asks for the membership before it runs validators.
        var configured = services.GetRequiredService<IOptions<ConsensusClusteringOptions>>();
        new ConsensusClusteringValidator(configured).ValidateConfiguration();
        var options = configured.Value;
        var cluster = services.GetRequiredService<IOptions<ClusterOptions>>().Value;
        var time = StoreClock.Of(services);
        return Create([.. PlacesOf(options, services, time)], cluster, options.RequestTimeout, time, Random.Shared);
    }

    /// <summary>The membership of a cluster in these places.</summary>
    public static Membership Create(
        ImmutableArray<IDocuments> places, ClusterOptions cluster, TimeSpan request, TimeProvider time, Random random)
    {
        var service = Uri.EscapeDataString(cluster.ServiceId);
        var owner = new DocumentOwner(cluster.ServiceId, cluster.ClusterId, places.Length);
        var times = new DocumentTimes(request, request / 4);
        ImmutableArray<DocumentAcceptor> acceptors =
        [
            .. places.Select(
                (place, index) => new DocumentAcceptor(place, $"{service}.membership", index, owner, time)),
        ];
        var id = RegisterId.Create(cluster.ServiceId, "clustering", "membership", [], []);
        return new(
            new(acceptors, id, times, time, random),
            new(acceptors, owner, times, time, random),
            new(places, $"{service}.alive/"),
            times,
            time);
    }

    private static IEnumerable<IDocuments> PlacesOf(
        ConsensusClusteringOptions options, IServiceProvider services, TimeProvider time)
    {
        foreach (var directory in options.Directories)
        {
            var files = new FileDocuments(Path.GetFullPath(directory), time, Random.Shared);
            yield return new TimedDocuments(files, options.RequestTimeout / 4, time, TaskScheduler.Default);
        }

        var clients = options.Clients
            .Concat(options.ServiceKeys.Select(key => BlobAccounts.Keyed("Clustering", key, services)))
            .Concat(options.ConnectionStrings.Select((connection, index) => BlobAccounts.Connect(
                $"The connection string number {index + 1} of clustering", connection, Pipeline(options))));
        foreach (var client in clients)
        {
            yield return new BlobDocuments(
                client.GetBlobContainerClient(options.ContainerName), options.BlobTryTimeout, time);
        }
    }

    private static BlobClientOptions Pipeline(ConsensusClusteringOptions options) =>
        AzureAppendBlobs.OptionsFor(options.BlobTryTimeout);
}
