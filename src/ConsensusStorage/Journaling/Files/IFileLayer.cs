namespace Orleans.Consensus.Journaling.Files;

/// <summary>
/// The little that a log needs from a file system, with its promises spelled out, so that tests can break every one
/// that a file system is allowed to break. Failures are <see cref="IOException"/> and
/// <see cref="UnauthorizedAccessException"/>; no room is <see cref="DiskFullException"/>.
/// </summary>
internal interface IFileLayer
{
    /// <summary>
    /// Opens a directory for one owner at a time, and creates it durably, with its parents, when it isn't there.
    /// </summary>
    /// <param name="path">The directory; separators are those of the platform.</param>
    /// <param name="owner">One line about the opener, shown to whoever is refused.</param>
    /// <exception cref="JournalInUseException">It is open elsewhere.</exception>
    ValueTask<IFileDirectory> LockDirectoryAsync(string path, string owner, CancellationToken cancellationToken);
}

/// <summary>A directory that nobody else has open. Disposing gives it up, after all of its files.</summary>
internal interface IFileDirectory : IAsyncDisposable
{
    string Path { get; }

    /// <summary>Names of all files.</summary>
    ValueTask<IReadOnlyList<string>> ListAsync(CancellationToken cancellationToken);

    ValueTask<IFile> OpenAsync(string name, CancellationToken cancellationToken);

    /// <summary>An empty file, in place of what had the name. The entry is durable after a flush of both.</summary>
    ValueTask<IFile> CreateAsync(string name, CancellationToken cancellationToken);

    /// <summary>At once, in place of what had the new name. Durable after <see cref="FlushAsync"/>.</summary>
    ValueTask RenameAsync(string from, string to, CancellationToken cancellationToken);

    /// <summary>
    /// The same, but only if nothing has the new name: of several who try at once, on whatever machines, one succeeds.
    /// Durable after <see cref="FlushAsync"/>.
    /// </summary>
    /// <returns>False if the name is taken.</returns>
    ValueTask<bool> TryRenameAsync(string from, string to, CancellationToken cancellationToken);

    /// <summary>
    /// Opens a small file, reads all of it and closes it, so that it is what others have put there by now. Comes before
    /// what is done in bulk.
    /// </summary>
    /// <returns>Null if there is no such file.</returns>
    ValueTask<byte[]?> ReadAllAsync(string name, CancellationToken cancellationToken);

    /// <summary>Durable after <see cref="FlushAsync"/>. A file that isn't there is no failure.</summary>
    ValueTask DeleteAsync(string name, CancellationToken cancellationToken);

    /// <summary>Makes the names durable. Does not: flush the files.</summary>
    ValueTask FlushAsync(CancellationToken cancellationToken);
}

/// <summary>
/// An open file. Thread rule: one <see cref="WriteAndFlushAsync"/> or one chain of the others at a time; reads at any
/// time.
/// </summary>
internal interface IFile : IAsyncDisposable
{
    long Length { get; }

    /// <summary>Reads as many bytes as there are, up to the buffer's length.</summary>
    ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>Writes in the background, for bulk: durable after <see cref="FlushAsync"/>.</summary>
    ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);

    /// <summary>Makes content and length durable.</summary>
    ValueTask FlushAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Overwrites bytes inside the file and makes them durable: the way of an append, one hand-over for both. Once
    /// it has begun it can't be cancelled.
    /// </summary>
    ValueTask WriteAndFlushAsync(long offset, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);
}
