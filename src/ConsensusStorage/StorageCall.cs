using System.Collections.Immutable;
using System.Diagnostics;
using Orleans.Runtime;
using Orleans.Storage;

namespace Orleans.Consensus;

/// <summary>
/// One call of the grain storage, and what its outcomes are called at the Orleans edge: each failure names the
/// operation, the grain, the state, and whether the change may have happened.
/// </summary>
/// <param name="Operation">As the first word of a message: "Reading", "Writing" or "Clearing".</param>
/// <param name="Register">The register the state is in.</param>
internal sealed record StorageCall(
    string Operation, string Provider, string StateName, GrainId Grain, RegisterId Register)
{
    private const string Contradiction =
        "the replicas contradict one another, which a damaged log or a bug must have caused; see the silo's log";

    private string Subject => $"{Operation} state '{StateName}' of grain {Grain} (provider '{Provider}')";

    /// <summary>A message about this call without the words that say which call it is.</summary>
    public string WithoutSubject(string message) =>
        message.StartsWith(Subject, StringComparison.Ordinal) ? message[Subject.Length..].TrimStart() : message;

    /// <summary>The register holds another version than the state object.</summary>
    /// <param name="stored">The ETag in the store; null if it holds no state.</param>
    /// <param name="current">The caller's ETag.</param>
    /// <param name="inDoubt">A change through this state object had been in doubt.</param>
    public InconsistentStateException Conflict(string? stored, string? current, bool inDoubt)
    {
        var message = $"{Subject} conflicts with a change by somebody else: the store holds {Quoted(stored)}, "
            + $"the state object has {Quoted(current)}.";
        return inDoubt
            ? new ConsensusInDoubtStateException(
                message + " An earlier write or clear with this state object was in doubt: it may have happened "
                + "before that change. Read the state again.",
                stored,
                current)
            : new InconsistentStateException(message + " Nothing was changed. Read the state again.", stored, current);
    }

    /// <summary>The state object has an ETag that no version of this provider wrote.</summary>
    /// <param name="found">What a read of the register gave.</param>
    /// <param name="failure">Why that read failed, or null.</param>
    public InconsistentStateException ForeignETag(ChangeResult found, string current, Exception? failure)
    {
        var stored = found is ChangeResult.Found { Value: { IsTombstone: false } value }
            ? value.Version.ToString()
            : null;
        var known = failure is null ? $"The store holds {Quoted(stored)}." : "What the store holds could not be read.";
        var message = $"{Subject} was refused: ETag '{current}' is not one of this provider. {known} "
            + "Nothing was changed. Read the state again.";
        return new(message, stored, current, failure);
    }

    /// <summary>
    /// There is no state, and whether an earlier try of this change made one that was cleared since can't be told.
    /// </summary>
    /// <param name="current">The caller's ETag.</param>
    public ConsensusInDoubtStateException LostTrack(string? current) => new(
        $"{Subject} can't be told from what happened since: the store holds no state now, and an earlier try of this "
        + "change may have been written and then cleared by another. Read the state again before writing it.",
        storedEtag: null,
        current);

    /// <summary>This call changed nothing.</summary>
    /// <param name="inDoubt">An earlier change through this state object is still in doubt.</param>
    public ConsensusUnavailableException Unavailable(ChangeResult.NotApplied result, bool inDoubt)
    {
        var why = result.Reason switch
        {
            NotAppliedReason.NoQuorum => "no quorum of replicas answered within the request timeout",
            NotAppliedReason.Contention => "too many other writers of this state were in the way",
            NotAppliedReason.Canceled => "it was cancelled",
            NotAppliedReason.Overloaded => "too many changes are pending on this silo (option MaxPendingChanges)",
            NotAppliedReason.Stopped => "this silo is stopping, or its store is not open yet",
            NotAppliedReason.Refused => "too many replicas refuse, for a reason that lasts",
            NotAppliedReason.Violation => Contradiction,
            _ => throw new UnreachableException(),
        };
        var earlier = inDoubt
            ? " An earlier write or clear with this state object is still in doubt and may have happened."
            : "";
        return new(
            $"{Subject} failed: {why}. {Describe(result.Answers)}This call changed nothing.{earlier} "
            + "Retrying with the same state object is safe.",
            inDoubt,
            Names(result.Answers, answered: true),
            Names(result.Answers, answered: false));
    }

    /// <summary>This call may or may not have changed the state.</summary>
    public ConsensusOutcomeUnknownException OutcomeUnknown(ChangeResult.Unknown result, bool mayHaveHappened)
    {
        var why = result.Reason switch
        {
            UnknownReason.NoQuorum => "not enough replicas answered within the request timeout",
            UnknownReason.Contention => "too many other writers of this state were in the way",
            UnknownReason.Canceled => "it was cancelled after it had been sent",
            UnknownReason.Stopped => "this silo stopped after it had been sent",
            UnknownReason.Refused => "after it had been sent too many replicas refused, for a reason that lasts",
            UnknownReason.Violation => Contradiction,
            _ => throw new UnreachableException(),
        };
        var happened = mayHaveHappened ? "It may or may not have happened, now or later." : "No state was changed.";
        return new(
            $"{Subject} has an unknown outcome: {why}. {Describe(result.Answers)}{happened} "
            + "Retrying with the same state object is safe.",
            mayHaveHappened,
            Names(result.Answers, answered: true),
            Names(result.Answers, answered: false));
    }

    /// <summary>The state can't be handled; nothing was sent or changed.</summary>
    public ConsensusStorageException Refused(string why, Exception? cause = null) =>
        new($"{Subject} {why}", ExceptionCause.Portable(cause));

    private static string Quoted(string? etag) => etag is null ? "no state" : $"ETag '{etag}'";

    private static string Describe(ImmutableArray<ReplicaAnswer> answers)
    {
        var answered = Listed(answers, true);
        var silent = Listed(answers, false);
        return (answered.Length > 0 ? $"Answered: {answered}. " : "")
            + (silent.Length > 0 ? $"Not answered: {silent}. " : "");
    }

    private static string Listed(ImmutableArray<ReplicaAnswer> answers, bool answered) =>
        string.Join(", ", answers.Where(answer => answer.Answered == answered).Select(Listed));

    private static string Listed(ReplicaAnswer answer) =>
        string.IsNullOrEmpty(answer.Text) ? answer.Replica.Name : $"{answer.Replica} ({answer.Text.TrimEnd('.')})";

    private static string[] Names(ImmutableArray<ReplicaAnswer> answers, bool answered) =>
        [.. answers.Where(answer => answer.Answered == answered).Select(answer => answer.Replica.Name)];
}
