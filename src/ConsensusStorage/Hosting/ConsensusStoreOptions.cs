using Azure.Storage.Blobs;
using Orleans.Consensus.Engines;

namespace Orleans.Configuration;

/// <summary>Where the replicas of a store are.</summary>
public enum ConsensusPlacement
{
    /// <summary>
    /// Each stays with the silo that names it as its <see cref="ConsensusStoreOptions.ReplicaId"/>, and has one log.
    /// </summary>
    Pinned,

    /// <summary>
    /// The live silos share them out, and take over those of a silo that is gone. Each group of a replica has a log of
    /// its own, in a place that all silos reach: blob storage, or a directory on a shared file system.
    /// </summary>
    Floating,
}

/// <summary>
/// Options of one consensus store, by its name. Untouched they make one replica, named <c>local</c>, under
/// <c>./data</c>: for development. Read once, when the silo starts.
/// </summary>
public sealed class ConsensusStoreOptions
{
    /// <summary>The name of the store that providers use unless they name another one: <c>Default</c>.</summary>
    public const string DefaultStoreName = "Default";

    internal const string DevelopmentReplica = "local";

    private static readonly StoreSettings Defaults = new()
    {
        Service = "",
        Store = DefaultStoreName,
        Replicas = new([new(DevelopmentReplica)]),
        Groups = 16,
    };

    private const int FloatingGroups = 1;

    private int? _groups;
    private ConsensusPlacement? _placement;

    /// <summary>
    /// Names of all replicas of the store, the same on every silo and fixed once the logs exist: 1, 3 or 5 names of
    /// 1–64 characters out of <c>a–z A–Z 0–9 - _ .</c>, not beginning with a dot, in any order. Default empty, which is
    /// the one replica <c>local</c> on this silo.
    /// </summary>
    public IList<string> Replicas { get; set; } = [];

    /// <summary>
    /// The replica this silo hosts, one of <see cref="Replicas"/>. Default null: the silo hosts none, and reads and
    /// writes through the others. Not for replicas that float.
    /// </summary>
    public string? ReplicaId { get; set; }

    /// <summary>
    /// Whether replicas stay with a silo or float; the same on every silo and fixed once the logs exist. Default
    /// <see cref="ConsensusPlacement.Floating"/> for logs in blobs, else <see cref="ConsensusPlacement.Pinned"/>.
    /// </summary>
    public ConsensusPlacement Placement
    {
        get => _placement ?? (UsesBlobs ? ConsensusPlacement.Floating : ConsensusPlacement.Pinned);
        set => _placement = value;
    }

    /// <summary>
    /// The directory with the logs of this silo's replicas, each in <c>store name/replica name</c>, or
    /// <c>store name/group/replica name</c> if they float and all silos share it; relative to the current directory.
    /// Used only where replicas are hosted, and not for logs in blobs. Default <c>./data</c>.
    /// </summary>
    public string DataDirectory { get; set; } = "./data";

    /// <summary>
    /// The storage account with the logs of all replicas that have none of their own, as a connection string or as the
    /// account's https address with a shared access signature. Default null: logs are files.
    /// </summary>
    [Redact]
    public string? ConnectionString { get; set; }

    /// <summary>
    /// The storage accounts of single replicas, by the replica's name, in the form of <see cref="ConnectionString"/>.
    /// Replicas in different accounts survive the loss of a minority of accounts.
    /// </summary>
    [Redact]
    public IDictionary<string, string> ConnectionStrings { get; set; } = new Dictionary<string, string>();

    /// <summary>
    /// The key of a <see cref="BlobServiceClient"/> among the services, in place of <see cref="ConnectionString"/>.
    /// </summary>
    public string? ServiceKey { get; set; }

    /// <summary>The same for single replicas, by the replica's name.</summary>
    public IDictionary<string, string> ServiceKeys { get; set; } = new Dictionary<string, string>();

    /// <summary>
    /// The container of the logs, in each account: 3–63 lower case letters, digits and single dashes between them.
    /// Created if it isn't there. Default <c>consensus</c>.
    /// </summary>
    public string ContainerName { get; set; } = "consensus";

    /// <summary>
    /// Time for one try of a request to blob storage, 100 ms – 1 minute; large ones get more. Default 5 seconds.
    /// </summary>
    public TimeSpan BlobTryTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Number of replica groups that registers are spread over, 1–4096, the same on every silo and fixed once the logs
    /// exist. Default 16; 1 if replicas float, because then each group has logs, and appends, of its own: more groups
    /// spread the replicas over more silos, and make smaller batches.
    /// </summary>
    public int Groups
    {
        get => _groups ?? (Placement == ConsensusPlacement.Floating ? FloatingGroups : Defaults.Groups);
        set => _groups = value;
    }

    /// <summary>
    /// Time from the call of an operation to its outcome at most, 100 ms – 10 minutes. Default 10 seconds.
    /// </summary>
    public TimeSpan RequestTimeout { get; set; } = Defaults.RequestTimeout;

    /// <summary>
    /// Time that one round waits for a quorum before a new one starts, 10 ms – <see cref="RequestTimeout"/>. Default
    /// 2 seconds.
    /// </summary>
    public TimeSpan RoundTimeout { get; set; } = Defaults.RoundTimeout;

    /// <summary>
    /// Bytes of the largest serialized state that is taken, 1 byte – 32 MiB. A larger one is refused before anything is
    /// sent. Default 4 MiB.
    /// </summary>
    public int MaxStateBytes { get; set; } = 4 * 1024 * 1024;

    /// <summary>
    /// Operations that may be under way in this silo, 1–10,000,000; more are refused before anything is sent. Default
    /// 20,000.
    /// </summary>
    public int MaxPendingChanges { get; set; } = Defaults.MaxPendingChanges;

    /// <summary>
    /// Bytes that may wait for one replica: at least twice <see cref="MaxStateBytes"/> and <see cref="MaxBatchBytes"/>
    /// together and 1 MiB, at most 1 GiB; more are not sent to it. Default 64 MiB.
    /// </summary>
    public int MaxQueuedBytesPerReplica { get; set; } = Defaults.MaxQueuedBytes;

    /// <summary>
    /// Number of states whose next write takes one round trip, 0–100,000,000. Default 100,000.
    /// </summary>
    public int PromiseCacheSize { get; set; } = Defaults.PromiseCacheSize;

    /// <summary>
    /// Bytes of states that a hosted replica keeps in memory, 0 – 1 TiB; others are read from its log. Default 64 MiB.
    /// </summary>
    public long ValueCacheBytes { get; set; } = Defaults.ValueCacheBytes;

    /// <summary>
    /// Bytes after which a message or a batch of the log is closed, 4 KiB – 16 MiB; a larger state goes alone. Default
    /// 1 MiB.
    /// </summary>
    public int MaxBatchBytes { get; set; } = Defaults.MaxBatchBytes;

    /// <summary>Bytes of a grown log's segment files, 1 MiB – 1 GiB. Default 64 MiB.</summary>
    public long SegmentBytes { get; set; } = 64L * 1024 * 1024;

    /// <summary>
    /// A secret of 16–1024 characters that silos prove to one another on each message, the same on every silo; it
    /// applies to all stores of a silo. Default null: messages are accepted from any silo of the cluster membership.
    /// </summary>
    [Redact]
    public string? ClusterSecret { get; set; }

    /// <summary>
    /// A second secret that is accepted beside <see cref="ClusterSecret"/>, which is the one that messages are sent
    /// with: 16–1024 characters, another one, the same on every silo but while silos are restarted one by one. It is
    /// for replacing the secret without downtime: first set the new one here on every silo, then swap the two on every
    /// silo, then remove the old one from here. Default null.
    /// </summary>
    [Redact]
    public string? AlternateClusterSecret { get; set; }

    internal bool UsesBlobs =>
        ConnectionString is not null
        || ServiceKey is not null
        || Client is not null
        || ConnectionStrings is { Count: > 0 }
        || ServiceKeys is { Count: > 0 }
        || Clients.Count > 0;

    internal BlobServiceClient? Client { get; private set; }

    internal Dictionary<string, BlobServiceClient> Clients { get; } = new(StringComparer.Ordinal);

    /// <summary>
    /// Keeps logs in blobs of the account that <paramref name="client"/> is for, with its credentials, for example a
    /// managed identity. Its own retries do no harm, but hold up a log: few and short ones are best.
    /// </summary>
    /// <param name="replica">The replica whose account it is; null for all that have none of their own.</param>
    /// <exception cref="ArgumentNullException"><paramref name="client"/> is null.</exception>
    public void UseBlobs(BlobServiceClient client, string? replica = null)
    {
        ArgumentNullException.ThrowIfNull(client);
        if (replica is null)
        {
            Client = client;
        }
        else
        {
            Clients[replica] = client;
        }
    }
}
