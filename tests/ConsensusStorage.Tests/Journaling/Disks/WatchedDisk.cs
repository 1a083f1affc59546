using Microsoft.Win32.SafeHandles;
using Orleans.Consensus.Journaling.Files;

namespace Orleans.Consensus.Tests.Journaling.Disks;

/// <summary>
/// The machine's disk, with a book on what was flushed: of a file what stood in it, of a directory its names. What is
/// not in the book is lost with the power. Thread rule: any.
/// </summary>
internal sealed class WatchedDisk : IDiskCalls
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, byte[]> _contents = [];
    private readonly Dictionary<ulong, Dictionary<string, ulong>> _names = [];

    /// <summary>Flushes of files and directories so far.</summary>
    public int Flushes { get; private set; }

    /// <summary>Told of each flush before it; true lets it fail.</summary>
    public Func<string, bool> Fails { get; set; } = static _ => false;

    public void Flush(SafeFileHandle file, string path)
    {
        lock (_gate)
        {
            Count(path);
            DiskCalls.Real.Flush(file, path);
            _contents[RawFiles.NumberOf(RawFiles.PathOf(file))] = RawFiles.ReadAll(RawFiles.PathOf(file));
        }
    }

    public void FlushDirectory(string path)
    {
        lock (_gate)
        {
            Count(path);
            DiskCalls.Real.FlushDirectory(path);
            if (!IsTemporary(path))
            {
                return;
            }

            _names[RawFiles.NumberOf(path)] = Directory.EnumerateFileSystemEntries(path)
                .ToDictionary(entry => Path.GetFileName(entry), RawFiles.NumberOf, StringComparer.Ordinal);
        }
    }

    /// <summary>Puts what a directory of this disk has after a loss of power into an empty one.</summary>
    public void Restore(string from, string to)
    {
        lock (_gate)
        {
            Restore(RawFiles.NumberOf(from), to);
        }
    }

    private void Restore(ulong number, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var (name, entry) in _names.GetValueOrDefault(number) ?? [])
        {
            var path = Path.Combine(to, name);
            if (_names.ContainsKey(entry))
            {
                Restore(entry, path);
            }
            else
            {
                // A name whose file was never flushed has nothing in it.
                File.WriteAllBytes(path, _contents.GetValueOrDefault(entry) ?? []);
            }
        }
    }

    private void Count(string path)
    {
        Flushes++;
        if (Fails(path))
        {
            throw new IOException($"Can't flush {path}: the test says so.");
        }
    }

    /// <summary>Others' directories above are not read: their names come and go.</summary>
    private static bool IsTemporary(string path) =>
        path.StartsWith(Path.GetTempPath(), StringComparison.Ordinal) && path.Length > Path.GetTempPath().Length;
}
