namespace Orleans.Consensus.Journaling.Files;

/// <summary>
/// A locked directory of the machine. It has two threads: appends must not wait behind the zeros of the next segment.
/// </summary>
internal sealed class DiskDirectory(string path, DirectoryLock held, DiskThread chores, IDiskCalls disk)
    : IFileDirectory
{
    private readonly DiskThread _appends = new($"log appends {path}");

    string IFileDirectory.Path => path;

    public ValueTask<IReadOnlyList<string>> ListAsync(CancellationToken cancellationToken) =>
        chores.RunAsync<IReadOnlyList<string>>(
            () => [.. Directory.EnumerateFiles(path).Select(file => Path.GetFileName(file))]);

    public ValueTask<IFile> OpenAsync(string name, CancellationToken cancellationToken) =>
        chores.RunAsync(() => OpenFile(name, FileMode.Open));

    public ValueTask<IFile> CreateAsync(string name, CancellationToken cancellationToken) =>
        chores.RunAsync(() => OpenFile(name, FileMode.Create));

    public ValueTask RenameAsync(string from, string to, CancellationToken cancellationToken) =>
        chores.RunAsync(() => DiskFile.Guard(() => File.Move(PathOf(from), PathOf(to), overwrite: true)));

    public ValueTask<bool> TryRenameAsync(string from, string to, CancellationToken cancellationToken) =>
        chores.RunAsync(() =>
        {
            var done = false;
            DiskFile.Guard(() => done = DiskCalls.TryRename(PathOf(from), PathOf(to)));
            return done;
        });

    public ValueTask<byte[]?> ReadAllAsync(string name, CancellationToken cancellationToken) =>
        _appends.RunAsync(() => ReadAll(PathOf(name)));

    public ValueTask DeleteAsync(string name, CancellationToken cancellationToken) =>
        chores.RunAsync(() => File.Delete(PathOf(name)));

    public ValueTask FlushAsync(CancellationToken cancellationToken) =>
        chores.RunAsync(() => DiskFile.Guard(() => disk.FlushDirectory(path)));

    public async ValueTask DisposeAsync()
    {
        await chores.RunAsync(held.Dispose);
        _appends.Dispose();
        chores.Dispose();
    }

    private string PathOf(string name) => Path.Combine(path, name);

    private static byte[]? ReadAll(string path)
    {
        try
        {
            using var file = File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete);
            var bytes = new byte[RandomAccess.GetLength(file)];
            var read = 0;
            for (int count; (count = RandomAccess.Read(file, bytes.AsSpan(read), read)) > 0;)
            {
                read += count;
            }

            return bytes[..read];
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    private IFile OpenFile(string name, FileMode mode)
    {
        // Windows renames an open file only if it was opened for sharing its deletion.
        IFile? file = null;
        DiskFile.Guard(() => file = new DiskFile(
            File.OpenHandle(PathOf(name), mode, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete),
            PathOf(name),
            _appends,
            chores,
            disk));
        return file!;
    }
}
