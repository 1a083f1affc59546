namespace Orleans.Consensus.Journaling;

/// <summary>
/// Segments in a directory that other machines may have open at the same time, whatever its locks say. Nobody ever
/// writes into a segment that somebody else created: who takes the log over goes on in a segment of its own, at a place
/// in the one before that is fixed for good (S17).
/// </summary>
internal interface ISharedSegmentStore : ISegmentStore
{
    /// <summary>Orleans' ClusterId of the last one to claim the log; null if nobody has.</summary>
    ValueTask<string?> FindClaimAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Claims the log, durably. From here on nobody who claimed it before acknowledges anything: what is read now is
    /// all that they ever will have acknowledged.
    /// </summary>
    ValueTask ClaimAsync(JournalOwner owner, CancellationToken cancellationToken);

    /// <exception cref="SegmentTakenException">Somebody else has claimed the log since.</exception>
    ValueTask VerifyClaimAsync(CancellationToken cancellationToken);

    /// <summary>The segment in which somebody has taken the log over behind another one; null if nobody has.</summary>
    /// <param name="number">Its number.</param>
    /// <param name="previous">The id of the one before.</param>
    ValueTask<ISegment?> OpenBehindAsync(int number, UInt128 previous, CancellationToken cancellationToken);

    /// <summary>
    /// Creates the segment in which the log goes on behind another one, or the first: on return it is durable. Of
    /// several who try, one succeeds. A crash or a failure leaves either the whole segment or none.
    /// </summary>
    /// <param name="content">Its header and first batch.</param>
    /// <exception cref="SegmentTakenException">Somebody else was faster.</exception>
    ValueTask<ISegment> CreateBehindAsync(
        SegmentHeader header, ReadOnlyMemory<byte> content, CancellationToken cancellationToken);
}
