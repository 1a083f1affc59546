namespace Orleans.Consensus.Engines;

/// <summary>What a store needs to know of its configuration; validated by the options before.</summary>
internal sealed record StoreSettings
{
    /// <summary>Orleans' ServiceId.</summary>
    public required string Service { get; init; }

    /// <summary>The store's name.</summary>
    public required string Store { get; init; }

    /// <summary>All acceptors.</summary>
    public required ReplicaSet Replicas { get; init; }

    /// <summary>The acceptor this silo hosts, or none; for replicas that are pinned.</summary>
    public ReplicaId? Local { get; init; }

    /// <summary>
    /// Whether replicas float: each group has logs of its own, hosted by whichever silos are up. Else all groups of a
    /// replica share one log, which stays with its silo.
    /// </summary>
    public bool Floats { get; init; }

    /// <summary>Number of replica groups, fixed at formation.</summary>
    public required int Groups { get; init; }

    /// <summary>From the call of a change to its outcome, at most.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long one round waits for a quorum before a new one starts.</summary>
    public TimeSpan RoundTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Changes that may be under way in this silo; more are refused before anything is sent (S25).</summary>
    public int MaxPendingChanges { get; init; } = 20_000;

    /// <summary>Bytes that may wait for one replica; more are not sent to it.</summary>
    public int MaxQueuedBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>Registers whose promise is kept for the next write in one round trip.</summary>
    public int PromiseCacheSize { get; init; } = 100_000;

    /// <summary>Bytes of state that a hosted replica keeps in memory.</summary>
    public long ValueCacheBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>
    /// Registers without a value that a hosted replica remembers its promise for; of more it makes one promise for all.
    /// </summary>
    public int MaxPromises { get; init; } = 100_000;

    /// <summary>Bytes after which a message or a log batch is closed; one state may exceed it alone.</summary>
    public int MaxBatchBytes { get; init; } = 1024 * 1024;

    /// <summary>Conflicts after which a change gives up (S23).</summary>
    public int MaxConflicts { get; init; } = 30;

    /// <summary>Configuration generation (S15).</summary>
    public long Generation { get; init; } = 1;

    /// <summary>Number of the sets of logs, which are a store of their own each but for the engine.</summary>
    public int Shards => Floats ? Groups : 1;

    /// <summary>The settings of one set of logs.</summary>
    public StoreSettings OfShard(int shard) => Floats
        ? this with
        {
            Store = $"{Store}/{shard}",
            ValueCacheBytes = ValueCacheBytes / Groups,
            MaxPromises = Math.Max(1, MaxPromises / Groups),
        }
        : this;

    /// <summary>Equal on all silos of a store; a silo or log of another shape is not spoken to.</summary>
    public string Shape => $"service '{Service}', store '{Store}', replicas {Replicas}, {Groups} groups";
}

/// <summary>
/// The outside world of a store: clock, chance, and where its work runs. The simulator brings its own.
/// </summary>
internal sealed record StoreEnvironment(TimeProvider Time, Random Random, TaskScheduler Scheduler);
