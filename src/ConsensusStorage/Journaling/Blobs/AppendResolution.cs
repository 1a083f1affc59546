namespace Orleans.Consensus.Journaling.Blobs;

/// <summary>How an append ended that didn't simply succeed at its first try (S18).</summary>
internal enum AppendResolution
{
    /// <summary>An earlier try had done it, unnoticed: its bytes stand at their place.</summary>
    Landed,

    /// <summary>A later try at the same place did it.</summary>
    Retried,

    /// <summary>Somebody else's bytes stand at the place: it is not there and never will be.</summary>
    Foreign,

    /// <summary>It was given up without knowing; whoever opens the log next settles it.</summary>
    Unresolved,
}
