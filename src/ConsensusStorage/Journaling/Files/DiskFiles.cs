namespace Orleans.Consensus.Journaling.Files;

/// <summary>The file system of the machine. Thread rule: any.</summary>
internal sealed class DiskFiles(IDiskCalls disk) : IFileLayer
{
    public DiskFiles()
        : this(DiskCalls.Real)
    {
    }

    public async ValueTask<IFileDirectory> LockDirectoryAsync(
        string path, string owner, CancellationToken cancellationToken)
    {
        path = Path.GetFullPath(path);
        var chores = new DiskThread($"log chores {path}");
        try
        {
            return await chores.RunAsync(() =>
            {
                cancellationToken.ThrowIfCancellationRequested();
                DirectoryLock? held = null;
                DiskFile.Guard(() =>
                {
                    CreateDurably(path, disk);
                    held = DirectoryLock.Take(path, owner, disk);
                });
                return new DiskDirectory(path, held!, chores, disk);
            });
        }
        catch
        {
            chores.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Creates a directory and those above it, each durable in the one above. The name of one that is there already is
    /// flushed too: its creator may have died before it came to that, or never flushes. A directory that this process
    /// may not read, or whose file system flushes none, is left as it is.
    /// </summary>
    public static void CreateDurably(string path, IDiskCalls disk)
    {
        var parent = Path.GetDirectoryName(path);
        if (!Directory.Exists(path))
        {
            if (parent is not null)
            {
                CreateDurably(parent, disk);
            }

            Directory.CreateDirectory(path);
            disk.FlushDirectory(parent ?? path);
            return;
        }

        for (; parent is not null; parent = Path.GetDirectoryName(parent))
        {
            try
            {
                disk.FlushDirectory(parent);
            }
            catch (IOException exception) when (DiskCalls.IsRefused(exception))
            {
                continue;
            }
        }
    }
}
