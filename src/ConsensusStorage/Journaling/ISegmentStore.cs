namespace Orleans.Consensus.Journaling;

/// <summary>
/// Where the segments of one log live, opened by one owner. <see cref="Journal"/> does all the rest: framing, chain,
/// recovery. Disposing closes the segments and gives the log up. Thread rule: one call at a time, but for
/// <see cref="CreateAsync"/>, which may run next to appends.
/// <para>Failures are <see cref="IOException"/> and <see cref="UnauthorizedAccessException"/>, no room is
/// <see cref="DiskFullException"/>.</para>
/// </summary>
internal interface ISegmentStore : IAsyncDisposable
{
    /// <summary>The log's place in words that an operator can find: a directory, a container.</summary>
    string Location { get; }

    /// <summary>
    /// True if segments are created at their full length, filled with durable zeros, and are overwritten from there:
    /// then a shorter one was cut off, a write may tear, and the end of the log is where the zeros begin. False if
    /// they grow by whole appends.
    /// </summary>
    bool Preallocates { get; }

    /// <summary>
    /// True if nobody else can open the log meanwhile: a segment has the same name whoever created it, and all of them
    /// can be listed. False if others may append and create at any time: then a segment but the first is found only
    /// by the id that the roll record before it names, and a place in a segment may be taken (S17).
    /// </summary>
    bool IsExclusive { get; }

    /// <summary>The most batches that a segment takes, the one with the roll record among them.</summary>
    int MaxAppends { get; }

    /// <summary>
    /// Numbers of the segments that were created whole, ascending. Of a store that isn't exclusive only the first one.
    /// </summary>
    ValueTask<IReadOnlyList<int>> ListAsync(CancellationToken cancellationToken);

    /// <summary>Null if it isn't there.</summary>
    /// <param name="id">Its random id; an exclusive store doesn't need it, nor does the first segment.</param>
    ValueTask<ISegment?> OpenAsync(int number, UInt128 id, CancellationToken cancellationToken);

    /// <summary>
    /// Creates a segment: on return it is durable, with its header. A crash or a failure leaves either the whole
    /// segment or none. An exclusive store puts it in place of one of the same number; others never replace anything,
    /// and fail with <see cref="SegmentTakenException"/> if somebody else has created the first one meanwhile.
    /// </summary>
    ValueTask<ISegment> CreateAsync(
        int number,
        UInt128 id,
        long capacity,
        ReadOnlyMemory<byte> header,
        CancellationToken cancellationToken);
}

/// <summary>One segment. Thread rule: one write at a time; reads at any time.</summary>
internal interface ISegment
{
    int Number { get; }

    /// <summary>Bytes that can be read, as far as is known: see <see cref="RefreshAsync"/>.</summary>
    long Length { get; }

    /// <summary>Reads as many bytes as there are, up to the buffer's length.</summary>
    ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>
    /// Puts bytes at a place and makes them durable. What failed may be there or not, in whole or in part. A store
    /// that doesn't preallocate fails if the place isn't the segment's end, unless these very bytes stand there (S18).
    /// </summary>
    /// <exception cref="SegmentTakenException">Somebody else has written there; these bytes never will be.</exception>
    ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);

    /// <summary>Learns what others have appended; nothing in an exclusive store. Not next to a write.</summary>
    ValueTask RefreshAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Keeps others from appending until <see cref="ReleaseAsync"/>, or a short time is over: a busy owner would be
    /// faster than any fence otherwise. A courtesy that may fail without a word; only the fence ends an owner (S17).
    /// Nothing in an exclusive store, nor if it is held already. Not next to a write.
    /// </summary>
    ValueTask HoldAsync(CancellationToken cancellationToken);

    /// <summary>Ends a hold where that is possible; otherwise it ends by itself.</summary>
    ValueTask ReleaseAsync(CancellationToken cancellationToken);
}

/// <summary>Somebody else's bytes stand where these were to be: the log has been taken over (S17).</summary>
internal sealed class SegmentTakenException(string message) : IOException(message)
{
    /// <summary>These may stand there, too, and count: whoever took the log over has read them, or not.</summary>
    public bool MayBeThere { get; init; }
}

/// <summary>There is no room left; what was to be created is not there.</summary>
internal sealed class DiskFullException(string message, Exception? inner = null) : IOException(message, inner);
