using System.Globalization;

namespace Orleans.Consensus.Journaling.Files;

/// <summary>
/// The lock of a directory: a file that is open without sharing. The system gives it up with the process, so a crash
/// leaves no lock behind. The file stays: removing it would let two owners lock two files of one name. Who holds it
/// stands in a second file, because a locked one can't be read everywhere.
/// </summary>
internal sealed class DirectoryLock : IDisposable
{
    private readonly FileStream _file;

    private DirectoryLock(FileStream file)
    {
        _file = file;
    }

    /// <exception cref="JournalInUseException">It is taken.</exception>
    public static DirectoryLock Take(string directory, string owner, IDiskCalls disk)
    {
        var path = Path.Combine(directory, "journal.lock");
        var ownerPath = Path.Combine(directory, "journal.owner");
        FileStream file;
        try
        {
            file = new(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException exception) when (IsTaken(exception))
        {
            throw new JournalInUseException(
                $"The log in {directory} is in use by {ReadOwner(ownerPath)}. Give each silo a directory of its own; "
                + "a silo that restarts gets it when the former process has ended.",
                exception);
        }

        if (CanBeTakenTwice(path))
        {
            file.Dispose();
            throw new IOException(
                $"The file system of {directory} keeps no locks, so two silos could write one log. Use a local disk, "
                + "and don't switch file locking off.");
        }

        try
        {
            // A lock that a file server forgets would be another file when it is made again. The name is flushed with
            // those of the log.
            disk.Flush(file.SafeFileHandle, path);
        }
        catch
        {
            file.Dispose();
            throw;
        }

        WriteOwner(ownerPath, owner);
        return new(file);
    }

    /// <summary>Some network file systems grant every lock; a lock that keeps nobody out is none.</summary>
    private static bool CanBeTakenTwice(string path)
    {
        try
        {
            new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None).Dispose();
            return true;
        }
        catch (IOException exception) when (IsTaken(exception))
        {
            return false;
        }
    }

    public void Dispose() => _file.Dispose();

    /// <summary>EWOULDBLOCK of Linux or of macOS, or a sharing violation of Windows.</summary>
    private static bool IsTaken(IOException exception) =>
        OperatingSystem.IsWindows() ? exception.HResult == unchecked((int)0x80070020)
        : OperatingSystem.IsMacOS() ? exception.HResult == 35
        : exception.HResult == 11;

    /// <summary>Only a courtesy: a full disk must not keep a log from being opened.</summary>
    private static void WriteOwner(string path, string owner)
    {
        try
        {
            var process = string.Create(CultureInfo.InvariantCulture, $"process {Environment.ProcessId}");
            File.WriteAllText(path, $"{owner}, {process} on {Environment.MachineName}");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return;
        }
    }

    private static string ReadOwner(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return "another silo";
        }
    }
}
