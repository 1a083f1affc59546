namespace Orleans.Consensus.Journaling;

/// <summary>
/// Reads one segment after the other front to back through a window, or one of a batch's size if that is larger:
/// recovery needs few reads and bounded memory. Not thread-safe.
/// </summary>
/// <param name="windowBytes">The larger, the fewer reads. Default 1 MiB.</param>
internal sealed class SegmentReader(int windowBytes = 1 << 20)
{
    private byte[] _window = [];
    private ISegment? _segment;
    private long _start;
    private int _length;

    public void Open(ISegment segment)
    {
        _segment = segment;
        _length = 0;
    }

    /// <summary>The bytes at a place, fewer only at the segment's end. Valid until the next call.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> ReadAsync(long offset, int count, CancellationToken cancellationToken)
    {
        var segment = _segment!;
        count = (int)Math.Clamp(segment.Length - offset, 0, count);
        if (offset < _start || offset + count > _start + _length)
        {
            var window = (int)Math.Max(count, Math.Min(windowBytes, segment.Length));
            if (_window.Length < window)
            {
                _window = new byte[window];
            }

            _length = 0;
            _length = await segment.ReadAsync(offset, _window, cancellationToken);
            _start = offset;
            count = Math.Min(count, _length);
        }

        return _window.AsMemory((int)(offset - _start), count);
    }

    /// <summary>
    /// Offset behind the last byte that isn't zero, of the bytes from <paramref name="offset"/> to the segment's end;
    /// <paramref name="offset"/> itself if there is none.
    /// </summary>
    public async ValueTask<long> EndOfContentAsync(long offset, CancellationToken cancellationToken)
    {
        var end = offset;
        for (var at = offset; at < _segment!.Length; at += windowBytes)
        {
            var bytes = await ReadAsync(at, windowBytes, cancellationToken);
            var last = bytes.Span.LastIndexOfAnyExcept((byte)0);
            end = last < 0 ? end : at + last + 1;
        }

        return end;
    }
}
