using Azure.Storage.Blobs;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;
using Orleans.Consensus.Diagnostics;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Journaling.Blobs;
using Orleans.Runtime;

namespace Orleans.Consensus.Hosting;

/// <summary>The logs of a store in blobs: which account each replica has, and where in it a log is.</summary>
internal sealed class BlobLogs
{
    private readonly Dictionary<ReplicaId, IAppendBlobs> _containers;
    private readonly string _service;
    private readonly JournalOptions _journal;
    private readonly TimeProvider _time;
    private readonly ConsensusInstruments _instruments;

    /// <param name="store">The store's name, for messages.</param>
    /// <param name="service">Orleans' ServiceId; several services may share a container.</param>
    /// <exception cref="OrleansConfigurationException">A replica has no account, or none that can be used.</exception>
    public BlobLogs(
        string store,
        string service,
        ReplicaSet replicas,
        ConsensusStoreOptions options,
        IServiceProvider services,
        TimeProvider time)
    {
        _containers = replicas.Members.ToDictionary(
            replica => replica,
            replica => (IAppendBlobs)new AzureAppendBlobs(
                ClientOf(store, replica.Name, options, services).GetBlobContainerClient(options.ContainerName),
                options.BlobTryTimeout,
                time));
        _service = Uri.EscapeDataString(service);
        _journal = StoreHost.JournalOptionsOf(options) with { YieldsToOtherClusters = true };
        _time = time;
        _instruments = services.GetRequiredService<ConsensusInstruments>();
    }

    /// <param name="logs">Name of the set of logs; of one group's with a slash and its number behind.</param>
    public IJournalStore Of(string logs) => new BlobJournalStore(
        replica => _containers[replica],
        $"{_service}/{logs}",
        _journal,
        _time,
        Random.Shared,
        resolution => _instruments.AppendInDoubt(resolution.ToString()));

    private static BlobServiceClient ClientOf(
        string store, string replica, ConsensusStoreOptions options, IServiceProvider services)
    {
        if (options.Clients.TryGetValue(replica, out var client))
        {
            return client;
        }

        if (options.ServiceKeys.TryGetValue(replica, out var key))
        {
            return Keyed(store, key, services);
        }

        if (options.ConnectionStrings.TryGetValue(replica, out var connection))
        {
            return Connect(store, replica, connection, options);
        }

        return options.Client
            ?? (options.ServiceKey is { } common ? Keyed(store, common, services) : null)
            ?? Connect(store, replica, options.ConnectionString!, options);
    }

    private static BlobServiceClient Keyed(string store, string key, IServiceProvider services) =>
        BlobAccounts.Keyed($"Consensus store '{store}'", key, services);

    private static BlobServiceClient Connect(
        string store, string replica, string connection, ConsensusStoreOptions options) =>
        BlobAccounts.Connect(
            $"The connection string of replica '{replica}' of consensus store '{store}'",
            connection,
            AzureAppendBlobs.OptionsFor(options.BlobTryTimeout));
}
