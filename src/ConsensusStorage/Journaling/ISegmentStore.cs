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

    /// <summary>Numbers of the segments that were created whole, ascending.</summary>
    ValueTask<IReadOnlyList<int>> ListAsync(CancellationToken cancellationToken);

    ValueTask<ISegment> OpenAsync(int number, CancellationToken cancellationToken);

    /// <summary>
    /// Creates a segment, in place of one of the same number: on return it is durable, with its header. A crash or a
    /// failure leaves either the whole segment or none.
    /// </summary>
    ValueTask<ISegment> CreateAsync(
        int number, long capacity, ReadOnlyMemory<byte> header, CancellationToken cancellationToken);
}

/// <summary>One segment. Thread rule: one write at a time; reads at any time.</summary>
internal interface ISegment
{
    int Number { get; }

    /// <summary>Bytes that can be read.</summary>
    long Length { get; }

    /// <summary>Reads as many bytes as there are, up to the buffer's length.</summary>
    ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>
    /// Puts bytes at a place and makes them durable. What failed may be there or not, in whole or in part. A store
    /// that doesn't preallocate fails if the place isn't the segment's end, unless these very bytes stand there (S18).
    /// </summary>
    ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);
}

/// <summary>There is no room left; what was to be created is not there.</summary>
internal sealed class DiskFullException(string message, Exception? inner = null) : IOException(message, inner);
