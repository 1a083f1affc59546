namespace Orleans.Consensus.Simulation.Clusters;

/// <summary>What the network does with one message on its way to a silo.</summary>
internal enum Fate
{
    Deliver,

    /// <summary>The message is lost, and its sender is told so.</summary>
    DropRequest,

    /// <summary>It is handled, the answer is lost, and the sender is told so.</summary>
    DropReply,

    /// <summary>Nothing happens for ever: a hung silo, or a message that is lost silently.</summary>
    Hang,

    /// <summary>It is handled, and the answer is lost silently.</summary>
    HangReply,

    /// <summary>It is handled twice; the second answer counts.</summary>
    Twice,

    /// <summary>It is handled at once and answered, and a copy of it arrives long after.</summary>
    Echo,
}

/// <summary>What is decided on a message when it is sent.</summary>
/// <param name="Met">Called when it comes to that; the message may be lost before.</param>
internal readonly record struct DecidedFate(Fate Fate, Action? Met = null)
{
    public static implicit operator DecidedFate(Fate fate) => new(fate);
}
