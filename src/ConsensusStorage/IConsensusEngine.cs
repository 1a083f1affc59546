using System.Collections.Immutable;

namespace Orleans.Consensus;

/// <summary>
/// The seam between the provider and a consensus protocol: Paxos and Raft stand behind it as equals.
/// </summary>
internal interface IConsensusEngine
{
    /// <summary>A version that no other change ever has (S8).</summary>
    RegisterVersion MintVersion();

    /// <summary>
    /// Applies one change to one register, linearizably, within the configured deadline. Thread-safe; changes of one
    /// register by one engine run one after the other (S20). Does not throw for outcomes: they are the result, also
    /// when <paramref name="cancellationToken"/> fires.
    /// </summary>
    Task<ChangeResult> ChangeAsync(RegisterId register, Change change, CancellationToken cancellationToken);
}

/// <summary>How a change ended.</summary>
internal abstract record ChangeResult
{
    /// <summary>The register is as the change wanted it. <paramref name="Version"/> is null after a clear.</summary>
    public sealed record Applied(RegisterVersion? Version) : ChangeResult;

    /// <summary>What a read found; null or a tombstone is "no state".</summary>
    public sealed record Found(RegisterValue? Value) : ChangeResult;

    /// <summary>The register holds another version than expected.</summary>
    /// <param name="Current">What it holds; its payload may be left out.</param>
    /// <param name="MayHaveHappened">An attempt of this change had been in doubt.</param>
    public sealed record Stale(RegisterValue? Current, bool MayHaveHappened) : ChangeResult;

    /// <summary>Definitely not applied by this call: no Accept was ever sent (S6).</summary>
    public sealed record NotApplied(NotAppliedReason Reason, ImmutableArray<ReplicaAnswer> Answers) : ChangeResult;

    /// <summary>May or may not have been applied, now or later.</summary>
    /// <param name="InDoubt">To be handed in with the next change or read of the same owner (S7).</param>
    public sealed record Unknown(InDoubt InDoubt, UnknownReason Reason, ImmutableArray<ReplicaAnswer> Answers)
        : ChangeResult;
}

/// <summary>Why nothing was sent.</summary>
internal enum NotAppliedReason
{
    NoQuorum,
    Contention,
    Canceled,
    Overloaded,
    Stopped,

    /// <summary>Too many replicas refuse, and will go on to: their disks are full, a clock is wrong.</summary>
    Refused,

    /// <summary>The replicas contradict one another: a bug or a damaged log.</summary>
    Violation,
}

/// <summary>Why an outcome is not known.</summary>
internal enum UnknownReason
{
    NoQuorum,
    Contention,
    Canceled,
    Stopped,

    /// <summary>Too many replicas refuse, and will go on to; they may have taken an earlier attempt.</summary>
    Refused,

    /// <summary>The replicas contradict one another: a bug or a damaged log.</summary>
    Violation,

    /// <summary>
    /// The state is gone, and whether this change made and somebody else cleared it can't be told (S8b).
    /// </summary>
    LostTrack,
}

/// <summary>What one replica said in the last round, in words for the operator.</summary>
internal readonly record struct ReplicaAnswer(ReplicaId Replica, bool Answered, string Text);
