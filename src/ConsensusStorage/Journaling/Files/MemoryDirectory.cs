namespace Orleans.Consensus.Journaling.Files;

/// <summary>A directory in memory; it outlives those who lock it.</summary>
internal sealed class MemoryDirectory(string path)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, MemoryFile> _files = new(StringComparer.Ordinal);
    private string? _owner;

    public IFileDirectory Lock(string owner)
    {
        lock (_gate)
        {
            if (_owner is not null)
            {
                throw new JournalInUseException($"The log in memory at {path} is in use by {_owner}.");
            }

            _owner = owner;
            return new Handle(this);
        }
    }

    private sealed class Handle(MemoryDirectory directory) : IFileDirectory
    {
        private bool _disposed;

        public string Path => directory.Name;

        public ValueTask<IReadOnlyList<string>> ListAsync(CancellationToken cancellationToken) =>
            new(directory.With<IReadOnlyList<string>>(files => [.. files.Keys]));

        public ValueTask<IFile> OpenAsync(string name, CancellationToken cancellationToken) =>
            new(directory.With(files => files.GetValueOrDefault(name) ?? throw NotFound(name)));

        public ValueTask<IFile> CreateAsync(string name, CancellationToken cancellationToken) =>
            new(directory.With(files => files[name] = new MemoryFile()));

        public ValueTask RenameAsync(string from, string to, CancellationToken cancellationToken)
        {
            directory.With(files => files.Remove(from, out var file) ? files[to] = file : throw NotFound(from));
            return ValueTask.CompletedTask;
        }

        public ValueTask<bool> TryRenameAsync(string from, string to, CancellationToken cancellationToken) =>
            new(directory.With(files =>
            {
                var file = files.GetValueOrDefault(from) ?? throw NotFound(from);
                return files.TryAdd(to, file) && files.Remove(from);
            }));

        public async ValueTask<byte[]?> ReadAllAsync(string name, CancellationToken cancellationToken)
        {
            if (directory.With(files => files.GetValueOrDefault(name)) is not { } file)
            {
                return null;
            }

            var bytes = new byte[file.Length];
            await file.ReadAsync(0, bytes, cancellationToken);
            return bytes;
        }

        public ValueTask DeleteAsync(string name, CancellationToken cancellationToken)
        {
            directory.With(files => files.Remove(name));
            return ValueTask.CompletedTask;
        }

        public ValueTask FlushAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask DisposeAsync()
        {
            if (!_disposed)
            {
                _disposed = true;
                directory.Unlock();
            }

            return ValueTask.CompletedTask;
        }

        private FileNotFoundException NotFound(string name) => new($"There is no {name} in memory at {Path}.");
    }

    private string Name => path;

    private void Unlock()
    {
        lock (_gate)
        {
            _owner = null;
        }
    }

    private T With<T>(Func<Dictionary<string, MemoryFile>, T> access)
    {
        lock (_gate)
        {
            return access(_files);
        }
    }
}
