using System.Globalization;
using Orleans.Consensus.Journaling.Files;

namespace Orleans.Consensus.Journaling;

/// <summary>
/// Segments as files of a directory that is locked for one owner. A segment is filled with real zeros before it gets
/// its name: flushing into space that was only reserved costs a change of the file system's own books each time, and
/// a full disk shows before a batch is at stake.
/// </summary>
internal sealed class FileSegmentStore : ISegmentStore
{
    private const string Prefix = "segment-";
    private const string Unfinished = ".new";
    private const int ChunkBytes = 1 << 20;

    private static readonly byte[] Zeros = new byte[ChunkBytes];

    private readonly IFileDirectory _directory;
    private readonly Dictionary<int, FileSegment> _open = [];

    private FileSegmentStore(IFileDirectory directory)
    {
        _directory = directory;
    }

    public string Location => _directory.Path;

    public bool Preallocates => true;

    public bool IsExclusive => true;

    public int MaxAppends => int.MaxValue;

    /// <summary>Locks the directory, and removes what a crash while creating a segment left.</summary>
    public static async ValueTask<FileSegmentStore> OpenAsync(
        IFileLayer files, string path, string owner, CancellationToken cancellationToken)
    {
        var directory = await files.LockDirectoryAsync(path, owner, cancellationToken);
        try
        {
            foreach (var name in await directory.ListAsync(cancellationToken))
            {
                if (name.StartsWith(Prefix, StringComparison.Ordinal)
                    && name.EndsWith(Unfinished, StringComparison.Ordinal))
                {
                    await directory.DeleteAsync(name, cancellationToken);
                }
            }

            // A name that a former owner gave but didn't get to flush must not be built upon before it is durable.
            await directory.FlushAsync(cancellationToken);
            return new(directory);
        }
        catch
        {
            await directory.DisposeAsync();
            throw;
        }
    }

    public async ValueTask<IReadOnlyList<int>> ListAsync(CancellationToken cancellationToken)
    {
        var numbers = new List<int>();
        foreach (var name in await _directory.ListAsync(cancellationToken))
        {
            if (name.StartsWith(Prefix, StringComparison.Ordinal)
                && int.TryParse(
                    name.AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                numbers.Add(number);
            }
        }

        numbers.Sort();
        return numbers;
    }

    public async ValueTask<ISegment?> OpenAsync(int number, UInt128 id, CancellationToken cancellationToken)
    {
        var segment = new FileSegment(number, await _directory.OpenAsync(NameOf(number), cancellationToken));
        _open.Add(number, segment);
        return segment;
    }

    public async ValueTask<ISegment> CreateAsync(
        int number,
        UInt128 id,
        long capacity,
        ReadOnlyMemory<byte> header,
        CancellationToken cancellationToken)
    {
        if (_open.Remove(number, out var replaced))
        {
            await replaced.File.DisposeAsync();
        }

        var name = NameOf(number) + Unfinished;
        IFile? file = null;
        try
        {
            file = await _directory.CreateAsync(name, cancellationToken);
            await FillAsync(file, capacity, header, cancellationToken);
            await _directory.RenameAsync(name, NameOf(number), cancellationToken);
            await FlushNameAsync(_directory, cancellationToken);
        }
        catch
        {
            await AbandonAsync(_directory, name, file);
            throw;
        }

        var segment = new FileSegment(number, file);
        _open.Add(number, segment);
        return segment;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var segment in _open.Values)
        {
            await segment.File.DisposeAsync();
        }

        _open.Clear();
        await _directory.DisposeAsync();
    }

    /// <summary>
    /// After the rename a file of that name may or may not be durable: even a full disk is not "nothing was written".
    /// </summary>
    public static async ValueTask FlushNameAsync(IFileDirectory directory, CancellationToken cancellationToken)
    {
        try
        {
            await directory.FlushAsync(cancellationToken);
        }
        catch (DiskFullException exception)
        {
            throw new IOException(exception.Message, exception);
        }
    }

    private static string NameOf(int number) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{number:D8}");

    /// <summary>Writes a new file to its full length and makes it durable; its name is not yet.</summary>
    public static async ValueTask FillAsync(
        IFile file, long capacity, ReadOnlyMemory<byte> header, CancellationToken cancellationToken)
    {
        await file.WriteAsync(0, header, cancellationToken);
        for (long offset = header.Length; offset < capacity;)
        {
            // Flushed bit by bit: one huge flush would stall the appends to the segment before it.
            var count = (int)Math.Min(ChunkBytes, capacity - offset);
            await file.WriteAsync(offset, Zeros.AsMemory(0, count), cancellationToken);
            await file.FlushAsync(cancellationToken);
            offset += count;
        }

        if (capacity <= header.Length)
        {
            // The header of a store is all of its file.
            await file.FlushAsync(cancellationToken);
        }
    }

    /// <summary>Gives the space back. The failure that led here is the one to report, not one of this.</summary>
    public static async ValueTask AbandonAsync(IFileDirectory directory, string name, IFile? file)
    {
        try
        {
            if (file is not null)
            {
                await file.DisposeAsync();
            }

            await directory.DeleteAsync(name, CancellationToken.None);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The next opening removes the file.
            return;
        }
    }
}

/// <summary>A segment that is a file.</summary>
internal sealed class FileSegment(int number, IFile file) : ISegment
{
    public IFile File => file;

    public int Number => number;

    public long Length => file.Length;

    public ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
        file.ReadAsync(offset, buffer, cancellationToken);

    public ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        file.WriteAndFlushAsync(offset, bytes, cancellationToken);

    public ValueTask RefreshAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask HoldAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask ReleaseAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;
}
