namespace Orleans.Consensus.Journaling.Files;

/// <summary>
/// A file in memory, in pages; a page that only ever was written with zeros takes no memory. Thread rule: any.
/// </summary>
internal sealed class MemoryFile : IFile
{
    private const int PageBytes = 64 * 1024;

    private readonly Lock _gate = new();
    private readonly List<byte[]?> _pages = [];
    private long _length;

    public long Length
    {
        get
        {
            lock (_gate)
            {
                return _length;
            }
        }
    }

    public ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            var bytes = buffer.Span[..(int)Math.Clamp(_length - offset, 0, buffer.Length)];
            var count = bytes.Length;
            while (bytes.Length > 0)
            {
                var (page, at) = Math.DivRem(offset, PageBytes);
                var part = bytes[..(int)Math.Min(bytes.Length, PageBytes - at)];
                if (_pages[(int)page] is { } content)
                {
                    content.AsSpan((int)at, part.Length).CopyTo(part);
                }
                else
                {
                    part.Clear();
                }

                bytes = bytes[part.Length..];
                offset += part.Length;
            }

            return new(count);
        }
    }

    public ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            _length = Math.Max(_length, offset + bytes.Length);
            while (_pages.Count * (long)PageBytes < _length)
            {
                _pages.Add(null);
            }

            for (var rest = bytes.Span; rest.Length > 0;)
            {
                var (page, at) = Math.DivRem(offset, PageBytes);
                var part = rest[..(int)Math.Min(rest.Length, PageBytes - at)];
                WritePage((int)page, (int)at, part);
                rest = rest[part.Length..];
                offset += part.Length;
            }
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask FlushAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask WriteAndFlushAsync(
        long offset, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        WriteAsync(offset, bytes, cancellationToken);

    /// <summary>The content stays: others may open the file again.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private void WritePage(int page, int at, ReadOnlySpan<byte> bytes)
    {
        if (_pages[page] is null && Sector.IsZero(bytes))
        {
            return;
        }

        var content = _pages[page] ??= new byte[PageBytes];
        bytes.CopyTo(content.AsSpan(at));
    }
}
