namespace Orleans.Consensus.Journaling;

/// <summary>Where a recovered log ends and how it goes on.</summary>
/// <param name="Segments">All segments of the chain.</param>
/// <param name="Spare">A segment that was created ahead and not rolled to yet.</param>
/// <param name="Offset">Offset behind the last batch in the last segment.</param>
/// <param name="TornUntil">End of what a torn write left behind <paramref name="Offset"/>, or the same offset.</param>
/// <param name="LastHash">Hash of the last batch.</param>
/// <param name="LastId">Sequence number of the last batch.</param>
/// <param name="LastBatch">
/// Bytes of the last batch and their place; null in a log without any, and where none can be torn. It may be in the
/// last segment but one, as its roll record.
/// </param>
/// <param name="Batches">Number of batches in the last segment.</param>
/// <param name="Epoch">Highest owner epoch seen.</param>
/// <param name="Owners">Who had the log so far.</param>
/// <param name="Bytes">Written bytes of all segments.</param>
internal sealed record RecoveredLog(
    IReadOnlyList<LogSegment> Segments,
    LogSegment? Spare,
    long Offset,
    long TornUntil,
    UInt128 LastHash,
    long LastId,
    (ISegment Segment, long Offset, byte[] Bytes)? LastBatch,
    int Batches,
    long Epoch,
    OwnerHistory Owners,
    long Bytes)
{
    /// <summary>Where it is left in a shared directory; else null.</summary>
    public SharedEnd? End { get; init; }
}

/// <summary>Who had a log, as its fence records tell: the last one, and the clusters of all of them.</summary>
internal sealed record OwnerHistory(JournalOwner? Last, IReadOnlySet<string> Clusters);
