namespace Orleans.Consensus.Journaling.Files;

/// <summary>
/// Directories and files in memory, shared by all who hold a reference: for logs without durability. A silo that
/// restarts inside of its process finds its log again. Takes memory only for what isn't zero. Thread rule: any.
/// </summary>
internal sealed class MemoryFiles : IFileLayer
{
    private readonly Dictionary<string, MemoryDirectory> _directories = new(StringComparer.Ordinal);

    public ValueTask<IFileDirectory> LockDirectoryAsync(
        string path, string owner, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_directories)
        {
            if (!_directories.TryGetValue(path, out var directory))
            {
                _directories.Add(path, directory = new(path));
            }

            return new(directory.Lock(owner));
        }
    }
}
