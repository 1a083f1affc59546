using System.Globalization;
using Orleans.Consensus.Journaling.Files;

namespace Orleans.Consensus.Journaling;

/// <summary>
/// Segments as files of a directory whose lock may hold on one machine only. The lock is taken all the same: where it
/// holds, it keeps others out before anybody is fenced. The names of segments hold random ids, so that nobody creates
/// what somebody else has open; that of a segment which takes the log over holds the id of the one before, so that one
/// taker alone gets it.
/// </summary>
internal sealed class SharedSegmentStore : ISharedSegmentStore
{
    private const string Prefix = "segment-";
    private const string Unfinished = LogClaim.Unfinished;

    private readonly IFileDirectory _directory;
    private readonly Func<UInt128> _newId;
    private readonly List<IFile> _open = [];
    private LogClaim? _claim;

    private SharedSegmentStore(IFileDirectory directory, Func<UInt128> newId)
    {
        _directory = directory;
        _newId = newId;
    }

    public string Location => _directory.Path;

    public bool Preallocates => true;

    public bool IsExclusive => false;

    public int MaxAppends => int.MaxValue;

    /// <summary>Locks the directory as far as that goes, and removes what a crash left unfinished.</summary>
    public static async ValueTask<SharedSegmentStore> OpenAsync(
        IFileLayer files, string path, string owner, Func<UInt128> newId, CancellationToken cancellationToken)
    {
        var directory = await files.LockDirectoryAsync(path, owner, cancellationToken);
        try
        {
            // One that another silo is at fails there, and is tried again.
            foreach (var name in await directory.ListAsync(cancellationToken))
            {
                if (name.EndsWith(Unfinished, StringComparison.Ordinal)
                    && (name.StartsWith(Prefix, StringComparison.Ordinal)
                        || name.StartsWith(LogClaim.Name, StringComparison.Ordinal)))
                {
                    await directory.DeleteAsync(name, cancellationToken);
                }
            }

            await directory.FlushAsync(cancellationToken);
            return new(directory, newId);
        }
        catch
        {
            await directory.DisposeAsync();
            throw;
        }
    }

    public ValueTask<string?> FindClaimAsync(CancellationToken cancellationToken) =>
        LogClaim.FindClusterAsync(_directory, cancellationToken);

    public async ValueTask ClaimAsync(JournalOwner owner, CancellationToken cancellationToken)
    {
        _claim = LogClaim.Of(_newId(), owner);
        await _claim.PlaceAsync(_directory, cancellationToken);
    }

    public async ValueTask VerifyClaimAsync(CancellationToken cancellationToken)
    {
        if (_claim is null || !await _claim.StandsAsync(_directory, cancellationToken))
        {
            throw new SegmentTakenException($"{_directory.Path} has been claimed by another silo.")
            {
                MayBeThere = true,
            };
        }
    }

    public async ValueTask<IReadOnlyList<int>> ListAsync(CancellationToken cancellationToken) =>
        (await _directory.ListAsync(cancellationToken)).Contains(NameOf(1, 0)) ? [1] : [];

    public ValueTask<ISegment?> OpenAsync(int number, UInt128 id, CancellationToken cancellationToken) =>
        OpenAsync(number, NameOf(number, id), cancellationToken);

    public ValueTask<ISegment?> OpenBehindAsync(int number, UInt128 previous, CancellationToken cancellationToken) =>
        OpenAsync(number, NameBehind(number, previous), cancellationToken);

    public ValueTask<ISegment> CreateAsync(
        int number, UInt128 id, long capacity, ReadOnlyMemory<byte> header, CancellationToken cancellationToken) =>
        CreateAsync(number, id, NameOf(number, id), capacity, header, cancellationToken);

    public ValueTask<ISegment> CreateBehindAsync(
        SegmentHeader header, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => CreateAsync(
            header.Number,
            header.Id,
            header.Number == 1 ? NameOf(1, 0) : NameBehind(header.Number, header.Previous),
            header.Capacity,
            content,
            cancellationToken);

    public async ValueTask DisposeAsync()
    {
        foreach (var file in _open)
        {
            await file.DisposeAsync();
        }

        _open.Clear();
        await _directory.DisposeAsync();
    }

    private static string NameOf(int number, UInt128 id) => number == 1
        ? string.Create(CultureInfo.InvariantCulture, $"{Prefix}{number:D8}")
        : string.Create(CultureInfo.InvariantCulture, $"{Prefix}{number:D8}-{id:x32}");

    private static string NameBehind(int number, UInt128 previous) =>
        string.Create(CultureInfo.InvariantCulture, $"{Prefix}{number:D8}-behind-{previous:x32}");

    private async ValueTask<ISegment?> OpenAsync(int number, string name, CancellationToken cancellationToken)
    {
        try
        {
            return Keep(number, await _directory.OpenAsync(name, cancellationToken));
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    private async ValueTask<ISegment> CreateAsync(
        int number,
        UInt128 id,
        string name,
        long capacity,
        ReadOnlyMemory<byte> content,
        CancellationToken cancellationToken)
    {
        var fresh = $"{NameOf(2, id)}{Unfinished}";
        IFile? file = null;
        try
        {
            file = await _directory.CreateAsync(fresh, cancellationToken);
            await FileSegmentStore.FillAsync(file, capacity, content, cancellationToken);
            if (!await _directory.TryRenameAsync(fresh, name, cancellationToken))
            {
                throw new SegmentTakenException($"{name} in {_directory.Path} is another silo's.");
            }

            await FileSegmentStore.FlushNameAsync(_directory, cancellationToken);
        }
        catch
        {
            await FileSegmentStore.AbandonAsync(_directory, fresh, file);
            throw;
        }

        return Keep(number, file);
    }

    private SharedSegment Keep(int number, IFile file)
    {
        lock (_open)
        {
            _open.Add(file);
        }

        return new(this, number, file);
    }

    private sealed class SharedSegment(SharedSegmentStore store, int number, IFile file) : ISegment
    {
        public int Number => number;

        public long Length => file.Length;

        public ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
            file.ReadAsync(offset, buffer, cancellationToken);

        /// <summary>What was written when another claim stood already may not have been read by the one who placed it.
        /// </summary>
        public async ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
        {
            await file.WriteAndFlushAsync(offset, bytes, cancellationToken);
            await store.VerifyClaimAsync(cancellationToken);
        }

        public ValueTask RefreshAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask HoldAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask ReleaseAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;
    }
}
