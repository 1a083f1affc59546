using Orleans.Consensus.Journaling.Files;

namespace Orleans.Consensus.Simulation.Disks;

/// <summary>
/// A directory of <see cref="FaultyFiles"/>: the names that programs see, and those that are on the disk.
/// </summary>
internal sealed class FaultyDirectory(string path)
{
    private readonly List<Action<SortedDictionary<string, FaultyFile>>> _unflushed = [];
    private SortedDictionary<string, FaultyFile> _durable = new(StringComparer.Ordinal);

    public string Path => path;

    public SortedDictionary<string, FaultyFile> Visible { get; private set; } = new(StringComparer.Ordinal);

    public int LockedIn { get; set; } = -1;

    public string Owner { get; set; } = "";

    public void Change(Action<SortedDictionary<string, FaultyFile>> change)
    {
        change(Visible);
        _unflushed.Add(change);
    }

    public void Flush()
    {
        _unflushed.ForEach(change => change(_durable));
        _unflushed.Clear();
    }

    public void Put(string name, FaultyFile? file)
    {
        foreach (var names in new[] { Visible, _durable })
        {
            names.Remove(name);
            if (file is not null)
            {
                names.Add(name, file);
            }
        }
    }

    /// <returns>Whether anything was lost that a file's owner had written.</returns>
    public bool Crash(Random random)
    {
        // A file system with a journal of its own keeps the order of changes to names.
        _unflushed.Take(random.Next(_unflushed.Count + 1)).ToList().ForEach(change => change(_durable));
        _unflushed.Clear();
        var isTorn = false;
        foreach (var file in _durable.Values)
        {
            isTorn |= file.Crash(random);
        }

        Visible = new(_durable, StringComparer.Ordinal);
        _durable = new(_durable, StringComparer.Ordinal);
        return isTorn;
    }
}

/// <summary>A lock on a directory of <see cref="FaultyFiles"/>; dead after a crash.</summary>
internal sealed class FaultyDirectoryHandle(FaultyFiles files, FaultyDirectory directory, int life) : IFileDirectory
{
    public string Path => directory.Path;

    public async ValueTask<IReadOnlyList<string>> ListAsync(CancellationToken cancellationToken)
    {
        await files.BeforeAsync(FileAction.List, Path, life);
        return [.. directory.Visible.Keys];
    }

    public async ValueTask<IFile> OpenAsync(string name, CancellationToken cancellationToken)
    {
        await files.BeforeAsync(FileAction.Open, PathOf(name), life);
        return directory.Visible.TryGetValue(name, out var file)
            ? new FaultyFileHandle(files, file, PathOf(name), life)
            : throw new FileNotFoundException($"Could not find file '{PathOf(name)}'.");
    }

    public async ValueTask<IFile> CreateAsync(string name, CancellationToken cancellationToken)
    {
        var file = new FaultyFile([]);
        await ChangeAsync(FileAction.Create, name, names => names[name] = file);
        return new FaultyFileHandle(files, file, PathOf(name), life);
    }

    public ValueTask RenameAsync(string from, string to, CancellationToken cancellationToken)
    {
        var file = directory.Visible.GetValueOrDefault(from)
            ?? throw new FileNotFoundException($"Could not find file '{PathOf(from)}'.");
        return ChangeAsync(FileAction.Rename, to, names =>
        {
            names.Remove(from);
            names[to] = file;
        });
    }

    public async ValueTask<bool> TryRenameAsync(string from, string to, CancellationToken cancellationToken)
    {
        var fault = await files.BeforeAsync(FileAction.Rename, PathOf(to), life);
        var file = directory.Visible.GetValueOrDefault(from)
            ?? throw new FileNotFoundException($"Could not find file '{PathOf(from)}'.");
        var isFree = !directory.Visible.ContainsKey(to);
        if (isFree)
        {
            directory.Change(names =>
            {
                names.Remove(from);
                names[to] = file;
            });
        }

        return fault == FileFault.Crash ? throw files.Crashed() : isFree;
    }

    public async ValueTask<byte[]?> ReadAllAsync(string name, CancellationToken cancellationToken)
    {
        await files.BeforeAsync(FileAction.Read, PathOf(name), life);
        return directory.Visible.GetValueOrDefault(name)?.ToArray();
    }

    public ValueTask DeleteAsync(string name, CancellationToken cancellationToken) =>
        ChangeAsync(FileAction.Delete, name, names => names.Remove(name));

    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        if (await files.BeforeAsync(FileAction.FlushDirectory, Path, life) == FileFault.Crash)
        {
            throw files.Crashed();
        }

        directory.Flush();
    }

    public ValueTask DisposeAsync()
    {
        if (files.Life == life)
        {
            directory.LockedIn = -1;
        }

        return ValueTask.CompletedTask;
    }

    private async ValueTask ChangeAsync(
        FileAction action, string name, Action<SortedDictionary<string, FaultyFile>> change)
    {
        var fault = await files.BeforeAsync(action, PathOf(name), life);
        directory.Change(change);
        if (fault == FileFault.Crash)
        {
            throw files.Crashed();
        }
    }

    private string PathOf(string name) => $"{Path}/{name}";
}
