using System.Globalization;
using System.IO.Hashing;
using System.Text;
using Orleans.Consensus.Journaling.Files;

namespace Orleans.Consensus.Clustering.Documents;

/// <summary>
/// Documents as files of a directory that all silos see: replaced by a rename under a lock, so that whoever reads finds
/// a whole one without it. The system gives the lock up with the process that has it. A file's tag is its hash: no
/// document that is changed by compare-and-swap ever is what it was before.
/// </summary>
internal sealed class FileDocuments(string directory, TimeProvider time, Random random, IDiskCalls disk) : IDocuments
{
    private const string LockName = "documents.lock";
    private const string Fresh = ".new";

    /// <summary>
    /// Stands beside a document from before it is replaced until that is flushed: a flush that failed in one process
    /// succeeds in the next one, and proves nothing there. Visible is enough for it: after a loss of power, what is
    /// visible is durable.
    /// </summary>
    private const string Unflushed = ".unflushed";

    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LockPause = TimeSpan.FromMilliseconds(5);

    private volatile bool _locksHold;
    private volatile bool _isDurable;

    public FileDocuments(string directory, TimeProvider time, Random random)
        : this(directory, time, random, DiskCalls.Real)
    {
    }

    public string Location => directory;

    public async ValueTask<Document?> ReadAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            var bytes = await File.ReadAllBytesAsync(PathOf(name), cancellationToken);
            return new Document(bytes, TagOf(bytes));
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    public async ValueTask<bool> TryWriteAsync(
        string name, string? tag, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        var path = PathOf(name);
        CreateDirectory();

        // Before the lock: whoever is stopped while he writes keeps nobody from the document.
        var fresh = $"{path}.{LogId.Create(random)}{Fresh}";
        try
        {
            await using (var file = new FileStream(fresh, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                await file.WriteAsync(bytes, cancellationToken);
                await file.FlushAsync(cancellationToken);
                disk.Flush(file.SafeFileHandle, fresh);
            }

            using var turn = await LockAsync(cancellationToken);
            var found = await ReadAsync(name, cancellationToken);
            if (found?.Tag != tag)
            {
                return false;
            }

            await File.WriteAllBytesAsync(path + Unflushed, [], CancellationToken.None);
            File.Move(fresh, path, overwrite: true);
            disk.FlushDirectory(directory);
            File.Delete(path + Unflushed);
            return true;
        }
        finally
        {
            File.Delete(fresh);
        }
    }

    public async ValueTask<bool> TryFlushAsync(string name, string tag, CancellationToken cancellationToken)
    {
        var path = PathOf(name);
        if (File.Exists(path + Unflushed))
        {
            // Its writer is about to flush it, or could not.
            using var turn = await LockAsync(cancellationToken);
            if (File.Exists(path + Unflushed))
            {
                return false;
            }
        }

        if ((await ReadAsync(name, cancellationToken))?.Tag != tag)
        {
            return false;
        }

        // Windows flushes only what is open for writing.
        var access = OperatingSystem.IsWindows() ? FileAccess.ReadWrite : FileAccess.Read;
        using (var file = File.OpenHandle(path, FileMode.Open, access, FileShare.ReadWrite | FileShare.Delete))
        {
            disk.Flush(file, path);
        }

        disk.FlushDirectory(directory);
        return !File.Exists(path + Unflushed);
    }

    public async ValueTask NoteAsync(string name, DateTime time, CancellationToken cancellationToken)
    {
        // Two of one name are never written at a time: a silo notes its own.
        var path = PathOf(name);
        if (!Directory.Exists(directory))
        {
            throw new DirectoryNotFoundException($"There is no directory {directory} (any more), or it can't be seen.");
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var text = time.ToUniversalTime().ToString("O", CultureInfo.InvariantCulture);
        await File.WriteAllTextAsync(path + Fresh, text, cancellationToken);
        File.Move(path + Fresh, path, overwrite: true);
    }

    public ValueTask ForgetAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            File.Delete(PathOf(name));
        }
        catch (DirectoryNotFoundException)
        {
            // Then there is no note.
        }

        return ValueTask.CompletedTask;
    }

    public async ValueTask<IReadOnlyDictionary<string, DateTime>> NotesAsync(
        string prefix, CancellationToken cancellationToken)
    {
        var notes = new Dictionary<string, DateTime>(StringComparer.Ordinal);
        var folder = PathOf(prefix);
        if (!Directory.Exists(folder))
        {
            return notes;
        }

        foreach (var path in Directory.EnumerateFiles(folder))
        {
            if (path.EndsWith(Fresh, StringComparison.Ordinal))
            {
                continue;
            }

            var name = $"{prefix}{Path.GetFileName(path)}";
            if (await ReadNoteAsync(name, cancellationToken) is { } note
                && DateTime.TryParse(
                    Encoding.UTF8.GetString(note.Bytes.Span),
                    CultureInfo.InvariantCulture,
                    DateTimeStyles.RoundtripKind,
                    out var time))
            {
                notes[name] = time;
            }
        }

        return notes;
    }

    /// <summary>Null if it can't be read: it is one silo's, and the other places have it, too.</summary>
    private async ValueTask<Document?> ReadNoteAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            return await ReadAsync(name, cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private void CreateDirectory()
    {
        // One that another silo created may not be durable yet.
        if (!_isDurable || !Directory.Exists(directory))
        {
            DiskFiles.CreateDurably(Path.GetFullPath(directory), disk);
            _isDurable = true;
        }
    }

    private string PathOf(string name) => Path.Combine(directory, name.Replace('/', Path.DirectorySeparatorChar));

    private static string TagOf(ReadOnlySpan<byte> bytes) =>
        XxHash128.HashToUInt128(bytes).ToString("x32", CultureInfo.InvariantCulture);

    private async ValueTask<FileStream> LockAsync(CancellationToken cancellationToken)
    {
        var path = Path.Combine(directory, LockName);
        var start = time.GetTimestamp();
        while (true)
        {
            try
            {
                return Lock(path);
            }
            catch (IOException exception)
                when (exception is not (FileNotFoundException or DirectoryNotFoundException or NoLocksException)
                    && time.GetElapsedTime(start) < LockPatience)
            {
                await Task.Delay(LockPause, time, cancellationToken);
            }
        }
    }

    private FileStream Lock(string path)
    {
        var held = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        try
        {
            RequireLocks(held, path);
            return held;
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Some network file systems grant every lock; one that keeps nobody out is none.</summary>
    private void RequireLocks(FileStream held, string path)
    {
        if (_locksHold)
        {
            return;
        }

        try
        {
            new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None).Dispose();
        }
        catch (IOException)
        {
            // Its name is flushed with the document's.
            disk.Flush(held.SafeFileHandle, path);
            _locksHold = true;
            return;
        }

        throw new NoLocksException(
            $"The file system of {directory} keeps no locks, so two silos could overwrite one another's changes. Use "
            + "one that does, and don't switch file locking off.");
    }

    private sealed class NoLocksException(string message) : IOException(message);
}
