namespace Orleans.Consensus.Engines;

/// <summary>A proposer's way to one acceptor, wherever that is.</summary>
internal interface IAcceptorLink
{
    /// <summary>
    /// Asks it, and hands its answer to the attempt, or that there is none and will be none. Thread-safe; doesn't wait.
    /// </summary>
    void Post(Outgoing outgoing);
}
