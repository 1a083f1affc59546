namespace Orleans.Consensus.Simulation.Blobs;

/// <summary>What is asked of a blob.</summary>
internal enum BlobAction
{
    Create,
    Append,
    Hold,
    Release,
    Break,
    Length,
    Read,
}

/// <summary>What happens to a request.</summary>
internal enum BlobFault
{
    None,

    /// <summary>It never gets there; the caller waits for an answer until its time is over.</summary>
    Lost,

    /// <summary>It is done, but the answer is lost.</summary>
    Unanswered,

    /// <summary>It gets there after the caller has given up.</summary>
    Late,

    /// <summary>It is put off: 503.</summary>
    Throttled,

    /// <summary>It is refused: 403.</summary>
    Denied,
}

/// <summary>A request that is about to be made; they are counted from 1.</summary>
/// <param name="Client">Who makes it.</param>
/// <param name="Position">Where an append or a read begins; 0 for others.</param>
internal readonly record struct BlobRequest(
    string Client, BlobAction Action, string Name, long Position, long Number)
{
    public bool IsChange => Action is not (BlobAction.Length or BlobAction.Read);
}

/// <summary>Decides on every request; a simulator may let time pass in it, or do anything else meanwhile.</summary>
internal delegate ValueTask<BlobFault> BlobPlan(BlobRequest request);
