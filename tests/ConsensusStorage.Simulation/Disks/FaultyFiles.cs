using Orleans.Consensus.Journaling;
using Orleans.Consensus.Journaling.Files;

namespace Orleans.Consensus.Simulation.Disks;

/// <summary>What is done to a file or directory.</summary>
internal enum FileAction
{
    Lock,
    List,
    Open,
    Create,
    Rename,
    Delete,
    FlushDirectory,
    Read,
    Write,
    Flush,
    WriteAndFlush,
}

/// <summary>What happens to an operation.</summary>
internal enum FileFault
{
    None,

    /// <summary>It fails; a write or flush that fails may have done a part.</summary>
    Fail,

    /// <summary>There is no room.</summary>
    Full,

    /// <summary>There are no rights.</summary>
    Denied,

    /// <summary>The power goes in the middle of it.</summary>
    Crash,
}

/// <summary>An operation that is about to happen; they are counted from 1.</summary>
internal readonly record struct FileOperation(FileAction Action, string Path, long Number);

/// <summary>Decides on every operation; a simulator may let time pass in it.</summary>
internal delegate ValueTask<FileFault> FilePlan(FileOperation operation);

/// <summary>The power went, or the process was killed: handles of before are dead.</summary>
internal sealed class MachineCrashedException() : IOException("The machine has crashed.");

/// <summary>
/// A file system in memory that does everything bad that a real one is allowed to do. It keeps what programs see (the
/// cache) apart from what is on the disk:
/// <list type="bullet">
/// <item>A crash loses written sectors that were not flushed, any subset of them, and names that were not flushed,
/// the latest first.</item>
/// <item>A failed flush drops what it should have written, but keeps showing it, and a later flush doesn't write it
/// either: that is what Linux does.</item>
/// <item>A failed write leaves any part of itself.</item>
/// </list>
/// Deterministic from its random source. Not thread-safe.
/// </summary>
internal sealed class FaultyFiles(Random random) : IFileLayer
{
    private readonly SortedDictionary<string, FaultyDirectory> _directories = new(StringComparer.Ordinal);

    /// <summary>Null lets everything succeed.</summary>
    public FilePlan? Plan { get; set; }

    /// <summary>Operations so far.</summary>
    public long Operations { get; private set; }

    /// <summary>Bytes that all files may take together.</summary>
    public long Room { get; set; } = long.MaxValue;

    /// <summary>Called when a write finds no room.</summary>
    public Action? FoundFull { get; set; }

    public bool IsFull => Room < long.MaxValue && BytesUsed > Room;

    /// <summary>Grows with every crash and kill; handles of before are dead.</summary>
    public int Life { get; private set; }

    /// <summary>Crashes that lost something written.</summary>
    public int Torn { get; private set; }

    public Random Random => random;

    public long BytesUsed => _directories.Values.Sum(directory => directory.Visible.Values.Sum(file => file.Length));

    public async ValueTask<IFileDirectory> LockDirectoryAsync(
        string path, string owner, CancellationToken cancellationToken)
    {
        await BeforeAsync(FileAction.Lock, path, Life);
        var directory = DirectoryAt(path);
        if (directory.LockedIn == Life)
        {
            throw new JournalInUseException($"{path} is in use by {directory.Owner}.");
        }

        (directory.LockedIn, directory.Owner) = (Life, owner);
        return new FaultyDirectoryHandle(this, directory, Life);
    }

    /// <summary>A directory without a lock: somebody else keeps these.</summary>
    public async ValueTask<IFileDirectory> VisitDirectoryAsync(string path)
    {
        await BeforeAsync(FileAction.Lock, path, Life);
        return new FaultyDirectoryHandle(this, DirectoryAt(path), Life);
    }

    /// <summary>The power goes: what was not flushed is lost in whole or in part, locks are gone.</summary>
    public void Crash()
    {
        Life++;
        foreach (var directory in _directories.Values)
        {
            Torn += directory.Crash(random) ? 1 : 0;
        }
    }

    /// <summary>Flips a bit somewhere in one of the files.</summary>
    /// <returns>Where, in words; null if there is nothing on the disk.</returns>
    public string? FlipBit(Random random)
    {
        var files = _directories
            .SelectMany(pair => pair.Value.Visible.Select(file => (Path: $"{pair.Key}/{file.Key}", File: file.Value)))
            .Where(one => one.File.Length > 0)
            .ToList();
        if (files.Count == 0)
        {
            return null;
        }

        var (path, file) = files[random.Next(files.Count)];
        var offset = random.Next(file.Length);
        file.Flip(offset, (byte)(1 << random.Next(8)));
        return $"{path} at {offset}";
    }

    /// <summary>
    /// The process ends, the machine runs on: nothing that was written is lost, nothing more is flushed.
    /// </summary>
    public void Kill() => Life++;

    /// <summary>Files of a directory as programs see them, in order of their names.</summary>
    public IReadOnlyList<string> NamesIn(string path) => [.. DirectoryAt(path).Visible.Keys];

    /// <summary>What programs see of a file.</summary>
    public byte[] Get(string path, string name) => DirectoryAt(path).Visible[name].ToArray();

    /// <summary>Puts a file on the disk, behind everybody's back.</summary>
    public void Put(string path, string name, byte[] bytes) => DirectoryAt(path).Put(name, new([.. bytes]));

    /// <summary>Removes a file from the disk, behind everybody's back.</summary>
    public void Remove(string path, string name) => DirectoryAt(path).Put(name, null);

    /// <summary>Asks the plan what happens, and does what ends the operation before it begins.</summary>
    /// <returns>What the operation itself has to act out.</returns>
    public async ValueTask<FileFault> BeforeAsync(FileAction action, string path, int life)
    {
        Operations++;
        var fault = Plan is null ? FileFault.None : await Plan(new(action, path, Operations));
        if (life != Life)
        {
            throw new MachineCrashedException();
        }

        return fault switch
        {
            FileFault.Full => throw new DiskFullException($"No space left on device: {path}"),
            FileFault.Denied => throw new UnauthorizedAccessException($"Access to the path '{path}' is denied."),
            FileFault.Fail when action is not (FileAction.Write or FileAction.Flush or FileAction.WriteAndFlush) =>
                throw new IOException($"Input/output error: {path}"),
            FileFault.Crash when action is FileAction.Lock or FileAction.List or FileAction.Open or FileAction.Read =>
                throw Crashed(),
            _ => fault,
        };
    }

    public MachineCrashedException Crashed()
    {
        Crash();
        return new();
    }

    private FaultyDirectory DirectoryAt(string path)
    {
        if (!_directories.TryGetValue(path, out var directory))
        {
            _directories.Add(path, directory = new(path));
        }

        return directory;
    }
}
