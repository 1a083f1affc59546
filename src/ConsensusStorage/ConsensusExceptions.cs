using Orleans.Runtime;
using Orleans.Storage;

namespace Orleans.Consensus;

/// <summary>
/// A storage operation failed for another reason than a conflict. Thrown as it is for a state over the size limit or
/// one that can't be serialized, deserialized or named; nothing was sent or changed then.
/// </summary>
[GenerateSerializer]
[Alias("Orleans.Consensus.ConsensusStorageException")]
public class ConsensusStorageException : OrleansException
{
    /// <summary>Creates the exception with a general message.</summary>
    public ConsensusStorageException()
        : base("A consensus storage operation failed.")
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What failed, of which grain and state.</param>
    public ConsensusStorageException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with its cause.</summary>
    /// <param name="message">What failed, of which grain and state.</param>
    /// <param name="innerException">The cause, or null.</param>
    public ConsensusStorageException(string message, Exception? innerException)
        : base(message, innerException!)
    {
    }

    internal ConsensusStorageException(string message, bool mayHaveHappened, string[] answered, string[] notAnswered)
        : base(message)
    {
        MayHaveHappened = mayHaveHappened;
        Answered = answered;
        NotAnswered = notAnswered;
    }

    /// <summary>
    /// Whether a write or clear through the same state object, this one or an earlier one in doubt, may have happened
    /// or may still happen. Default false.
    /// </summary>
    [Id(0)]
    public bool MayHaveHappened { get; private protected set; }

    /// <summary>Names of the replicas that answered in the last round, also with a refusal. Default empty.</summary>
    [Id(1)]
    public IReadOnlyList<string> Answered { get; private set; } = Array.Empty<string>();

    /// <summary>Names of the replicas that did not answer in the last round. Default empty.</summary>
    [Id(2)]
    public IReadOnlyList<string> NotAnswered { get; private set; } = Array.Empty<string>();
}

/// <summary>
/// The operation was definitely not applied by this call: no quorum of replicas could be reached, or the silo is
/// overloaded or stopping. Retrying with the same state object is safe.
/// </summary>
[GenerateSerializer]
[Alias("Orleans.Consensus.ConsensusUnavailableException")]
public sealed class ConsensusUnavailableException : ConsensusStorageException
{
    /// <summary>Creates the exception with a general message.</summary>
    public ConsensusUnavailableException()
        : base("No quorum of replicas could be reached.")
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What failed, of which grain and state.</param>
    public ConsensusUnavailableException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with its cause.</summary>
    /// <param name="message">What failed, of which grain and state.</param>
    /// <param name="innerException">The cause, or null.</param>
    public ConsensusUnavailableException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    internal ConsensusUnavailableException(
        string message, bool mayHaveHappened, string[] answered, string[] notAnswered)
        : base(message, mayHaveHappened, answered, notAnswered)
    {
    }
}

/// <summary>
/// It is not known yet whether the operation happened: it was sent, and not enough replicas answered in time. Retrying
/// with the same state object is safe, also on another silo: its ETag names what is in doubt.
/// </summary>
[GenerateSerializer]
[Alias("Orleans.Consensus.ConsensusOutcomeUnknownException")]
public sealed class ConsensusOutcomeUnknownException : ConsensusStorageException
{
    /// <summary>Creates the exception with a general message.</summary>
    public ConsensusOutcomeUnknownException()
        : base("The outcome of a storage operation is unknown.", true, [], [])
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What is in doubt, of which grain and state.</param>
    public ConsensusOutcomeUnknownException(string message)
        : base(message, true, [], [])
    {
    }

    /// <summary>Creates the exception with its cause.</summary>
    /// <param name="message">What is in doubt, of which grain and state.</param>
    /// <param name="innerException">The cause, or null.</param>
    public ConsensusOutcomeUnknownException(string message, Exception? innerException)
        : base(message, innerException) => MayHaveHappened = true;

    internal ConsensusOutcomeUnknownException(
        string message, bool mayHaveHappened, string[] answered, string[] notAnswered)
        : base(message, mayHaveHappened, answered, notAnswered)
    {
    }
}

/// <summary>
/// The store holds another version than the state object, and a write or clear of that state object had been in doubt:
/// it may have happened before the other version was written, or was cleared. Read the state again before deciding
/// anything; an activation that lets this exception escape is deactivated by Orleans, and the next one reads.
/// </summary>
[GenerateSerializer]
[Alias("Orleans.Consensus.ConsensusInDoubtStateException")]
public sealed class ConsensusInDoubtStateException : InconsistentStateException
{
    /// <summary>Creates the exception with a general message.</summary>
    public ConsensusInDoubtStateException()
        : base("The state was changed by somebody else, and an earlier write may have happened before.")
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What is in doubt, of which grain and state.</param>
    public ConsensusInDoubtStateException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with its cause.</summary>
    /// <param name="message">What is in doubt, of which grain and state.</param>
    /// <param name="innerException">The cause, or null.</param>
    public ConsensusInDoubtStateException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Creates the exception with both ETags.</summary>
    /// <param name="message">What is in doubt, of which grain and state.</param>
    /// <param name="storedEtag">The ETag that the store holds, or null if it holds no state.</param>
    /// <param name="currentEtag">The ETag of the caller's state object, or null.</param>
    /// <param name="innerException">The cause, or null.</param>
    public ConsensusInDoubtStateException(
        string message, string? storedEtag, string? currentEtag, Exception? innerException = null)
        : base(message, storedEtag, currentEtag, innerException)
    {
    }

    /// <summary>Whether a write or clear through the same state object may have happened. Default true.</summary>
    [Id(0)]
    public bool MayHaveHappened { get; private set; } = true;
}
