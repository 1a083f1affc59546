using Orleans.Consensus.Engines;

namespace Orleans.Configuration;

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

    /// <summary>
    /// Names of all replicas of the store, the same on every silo and fixed once the logs exist: 1, 3 or 5 names of
    /// 1–64 characters out of <c>a–z A–Z 0–9 - _ .</c>, not beginning with a dot, in any order. Default empty, which is
    /// the one replica <c>local</c> on this silo.
    /// </summary>
    public IList<string> Replicas { get; set; } = [];

    /// <summary>
    /// The replica this silo hosts, one of <see cref="Replicas"/>. Default null: the silo hosts none, and reads and
    /// writes through the others.
    /// </summary>
    public string? ReplicaId { get; set; }

    /// <summary>
    /// The directory with the logs of this silo's replicas, each in <c>store name/replica name</c>; relative to the
    /// current directory. Used only where a replica is hosted. Default <c>./data</c>.
    /// </summary>
    public string DataDirectory { get; set; } = "./data";

    /// <summary>
    /// Number of replica groups that registers are spread over, 1–4096, the same on every silo and fixed once the logs
    /// exist. Default 16.
    /// </summary>
    public int Groups { get; set; } = Defaults.Groups;

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
}
