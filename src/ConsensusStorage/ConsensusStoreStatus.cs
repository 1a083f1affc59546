namespace Orleans.Consensus;

/// <summary>
/// What this silo knows of a consensus store. Resolve it as a keyed service by the store's name.
/// </summary>
public interface IConsensusStore
{
    /// <summary>The store's name.</summary>
    string Name { get; }

    /// <summary>
    /// What each replica of each group is able to do for this silo, by what the silos of the cluster say at this
    /// moment; health checks and exceptions say the same. A silo that does not answer within a second is left out, and
    /// its replica has no host. Thread-safe.
    /// </summary>
    Task<IReadOnlyList<ConsensusReplicaStatus>> GetStatusAsync(CancellationToken cancellationToken = default);
}

/// <summary>One replica of one group.</summary>
public sealed record ConsensusReplicaStatus
{
    /// <summary>The group, from 0.</summary>
    public required int Group { get; init; }

    /// <summary>The replica's id.</summary>
    public required string Replica { get; init; }

    /// <summary>
    /// The silo that hosts it, as <c>ip:port@generation</c>, or null if none is known. Default null.
    /// </summary>
    public string? Host { get; init; }

    /// <summary>Whether it can be used, and if not, how far it is.</summary>
    public required ConsensusReplicaState State { get; init; }

    /// <summary>The last ballot it promised or accepted in this group, as text, or null. Default null.</summary>
    public string? LastBallot { get; init; }

    /// <summary>Bytes of its log; the groups of a replica that is pinned share it. Default 0.</summary>
    public long LogBytes { get; init; }

    /// <summary>
    /// Why it does not serve, and what to do; null if it serves or there is nothing to do. Default null.
    /// </summary>
    public string? Problem { get; init; }

    /// <summary>
    /// What is wrong elsewhere although this replica serves, or null: another silo that claims to be this replica, and
    /// is refused. Default null.
    /// </summary>
    public string? Notice { get; init; }
}
