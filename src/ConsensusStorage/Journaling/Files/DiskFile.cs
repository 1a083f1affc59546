using Microsoft.Win32.SafeHandles;

namespace Orleans.Consensus.Journaling.Files;

/// <summary>
/// An open file of the machine, through one handle. Reads run on the caller's thread: they nearly always come out of
/// the system's cache.
/// </summary>
internal sealed class DiskFile : IFile
{
    private readonly SafeFileHandle _handle;
    private readonly string _path;
    private readonly DiskThread _appends;
    private readonly DiskThread _chores;
    private readonly IDiskCalls _disk;
    private long _length;

    public DiskFile(SafeFileHandle handle, string path, DiskThread appends, DiskThread chores, IDiskCalls disk)
    {
        _handle = handle;
        _path = path;
        _appends = appends;
        _chores = chores;
        _disk = disk;
        _length = RandomAccess.GetLength(handle);
    }

    public long Length => Volatile.Read(ref _length);

    /// <summary>Runs a call that may find the disk full.</summary>
    /// <exception cref="DiskFullException">It did.</exception>
    public static void Guard(Action call)
    {
        try
        {
            call();
        }
        catch (IOException exception) when (DiskCalls.IsDiskFull(exception))
        {
            throw new DiskFullException(exception.Message, exception);
        }
    }

    public ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var read = 0;
        while (read < buffer.Length)
        {
            var count = RandomAccess.Read(_handle, buffer.Span[read..], offset + read);
            if (count == 0)
            {
                break;
            }

            read += count;
        }

        return new(read);
    }

    public ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return _chores.RunAsync(() => Guard(() => Write(offset, bytes)));
    }

    public ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return _chores.RunAsync(() => Guard(() => _disk.Flush(_handle, _path)));
    }

    public ValueTask WriteAndFlushAsync(long offset, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return _appends.RunAsync(() => Guard(() =>
        {
            Write(offset, bytes);
            _disk.Flush(_handle, _path);
        }));
    }

    /// <summary>Closes the file after the writes that are on their way.</summary>
    public async ValueTask DisposeAsync()
    {
        await _appends.RunAsync(static () => true);
        await _chores.RunAsync(_handle.Dispose);
    }

    private void Write(long offset, ReadOnlyMemory<byte> bytes)
    {
        RandomAccess.Write(_handle, bytes.Span, offset);
        Volatile.Write(ref _length, Math.Max(_length, offset + bytes.Length));
    }
}
