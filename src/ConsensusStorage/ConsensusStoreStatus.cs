namespace Orleans.Consensus;

/// <summary>
/// What this silo knows of a consensus store. Resolve it as a keyed service by the store's name.
/// </summary>
public interface IConsensusStore
{
    /// <summary>The store's name.</summary>
    string Name { get; }

    /// <summary>
    /// Each replica of each group as the silos of the cluster describe it at this moment. A silo that does not answer
    /// within a second is left out, and its replica has no host. Thread-safe.
    /// </summary>
    Task<IReadOnlyList<ConsensusReplicaStatus>> GetStatusAsync(CancellationToken cancellationToken = default);
}

/// <summary>One replica of one group.</summary>
/// <param name="Group">The group, from 0.</param>
/// <param name="Replica">The replica's id.</param>
/// <param name="Host">The silo that hosts it, as <c>ip:port@generation</c>, or null if none is known.</param>
/// <param name="State">
/// <c>Serving</c>, or why it does not answer: <c>Opening</c>, <c>Forming</c>, <c>Recovering</c>, <c>Refused</c>,
/// <c>Stopped</c>, <c>Unreachable</c>.
/// </param>
/// <param name="LastBallot">The last ballot it promised or accepted in this group, as text, or null.</param>
/// <param name="LogBytes">Bytes of its log; the groups of a replica that is pinned share it.</param>
/// <param name="Problem">What is wrong and what to do, or null.</param>
public sealed record ConsensusReplicaStatus(
    int Group, string Replica, string? Host, string State, string? LastBallot, long LogBytes, string? Problem);
