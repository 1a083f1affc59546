namespace Orleans.Consensus.Journaling.Files;

/// <summary>The file system of the machine. Thread rule: any.</summary>
internal sealed class DiskFiles : IFileLayer
{
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
                CreateDurably(path);
                return new DiskDirectory(path, DirectoryLock.Take(path, owner), chores);
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
    /// flushed too: whoever created it may have died before he came to that.
    /// </summary>
    private static void CreateDurably(string path)
    {
        var parent = Path.GetDirectoryName(path);
        if (!Directory.Exists(path))
        {
            if (parent is not null)
            {
                CreateDurably(parent);
            }

            Directory.CreateDirectory(path);
        }

        if (parent is not null)
        {
            DiskCalls.FlushDirectory(parent);
        }
    }
}
