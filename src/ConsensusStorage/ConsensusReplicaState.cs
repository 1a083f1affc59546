namespace Orleans.Consensus;

/// <summary>What a replica is able to do for the silo that was asked.</summary>
public enum ConsensusReplicaState
{
    /// <summary>No live silo is known to host it, or the one that does gives no answer.</summary>
    Unreachable,

    /// <summary>Its log is being opened and replayed.</summary>
    Opening,

    /// <summary>Its log is new: it answers nothing until all replicas know one another.</summary>
    Forming,

    /// <summary>It answers, and takes changes.</summary>
    Serving,

    /// <summary>
    /// Its log is open, but it can't be used now: its disk is full, it is overloaded, its storage does not answer, or a
    /// clock is wrong. It serves again as soon as that has passed.
    /// </summary>
    Blocked,

    /// <summary>Its log failed; it is about to open it again.</summary>
    Recovering,

    /// <summary>It does not serve until an operator has acted; the problem says why.</summary>
    Refused,

    /// <summary>Its silo is stopping.</summary>
    Stopped,
}
