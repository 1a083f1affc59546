using Orleans.Consensus.Journaling.Files;
using Orleans.Consensus.Simulation.Disks;
using Orleans.Consensus.Simulation.Kernel;

namespace Orleans.Consensus.Simulation.Shares;

/// <summary>
/// One process's way to a file server. When the process has ended, whatever is left of its code reaches it no more;
/// when it stands still, so does what it is about to do. What it wrote and didn't flush is lost with its machine.
/// </summary>
internal sealed class ShareMount(FileShareServer server, SimulatedProcess process, int silo) : IFileLayer
{
    private readonly HashSet<FaultyFile> _unflushed = [];

    public async ValueTask<IFileDirectory> LockDirectoryAsync(
        string path, string owner, CancellationToken cancellationToken)
    {
        Live();
        var directory = await server.Files.VisitDirectoryAsync(path);
        server.Lock(path, new(process, silo, server.Files.Life, owner));
        return new Mounted(this, directory, path);
    }

    /// <summary>The power of the machine goes.</summary>
    public void Crash()
    {
        foreach (var file in _unflushed)
        {
            file.Crash(server.Files.Random);
        }

        _unflushed.Clear();
    }

    private void Live()
    {
        if (process.HasEnded)
        {
            throw new IOException("This process has ended.");
        }
    }

    private sealed class Mounted(ShareMount mount, IFileDirectory directory, string path) : IFileDirectory
    {
        public string Path => path;

        public ValueTask<IReadOnlyList<string>> ListAsync(CancellationToken cancellationToken) =>
            Living().ListAsync(cancellationToken);

        public async ValueTask<IFile> OpenAsync(string name, CancellationToken cancellationToken) =>
            new MountedFile(mount, (FaultyFileHandle)await Living().OpenAsync(name, cancellationToken));

        public async ValueTask<IFile> CreateAsync(string name, CancellationToken cancellationToken) =>
            new MountedFile(mount, (FaultyFileHandle)await Living().CreateAsync(name, cancellationToken));

        public ValueTask RenameAsync(string from, string to, CancellationToken cancellationToken) =>
            Living().RenameAsync(from, to, cancellationToken);

        public ValueTask<bool> TryRenameAsync(string from, string to, CancellationToken cancellationToken) =>
            Living().TryRenameAsync(from, to, cancellationToken);

        public ValueTask<byte[]?> ReadAllAsync(string name, CancellationToken cancellationToken) =>
            Living().ReadAllAsync(name, cancellationToken);

        public ValueTask DeleteAsync(string name, CancellationToken cancellationToken) =>
            Living().DeleteAsync(name, cancellationToken);

        public ValueTask FlushAsync(CancellationToken cancellationToken) => Living().FlushAsync(cancellationToken);

        public ValueTask DisposeAsync()
        {
            mount.Unlock(path);
            return directory.DisposeAsync();
        }

        private IFileDirectory Living()
        {
            mount.Live();
            return directory;
        }
    }

    private void Unlock(string path) => server.Unlock(path, process);

    /// <summary>A write and its flush are two requests, and anything may happen in between.</summary>
    private sealed class MountedFile(ShareMount mount, FaultyFileHandle file) : IFile
    {
        public long Length => file.Length;

        public ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            mount.Live();
            return file.ReadAsync(offset, buffer, cancellationToken);
        }

        public ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
        {
            mount.Live();
            mount._unflushed.Add(file.File);
            return file.WriteAsync(offset, bytes, cancellationToken);
        }

        public async ValueTask FlushAsync(CancellationToken cancellationToken)
        {
            mount.Live();
            await file.FlushAsync(cancellationToken);
            mount._unflushed.Remove(file.File);
        }

        public async ValueTask WriteAndFlushAsync(
            long offset, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
        {
            await WriteAsync(offset, bytes, cancellationToken);
            await FlushAsync(CancellationToken.None);
        }

        public ValueTask DisposeAsync() => file.DisposeAsync();
    }
}
