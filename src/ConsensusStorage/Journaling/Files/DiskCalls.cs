using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Orleans.Consensus.Journaling.Files;

/// <summary>
/// The calls that .NET doesn't have: flush a file's data without its times (on Linux), and flush a directory (on
/// Unix, else a new name may vanish).
/// </summary>
internal sealed partial class DiskCalls : IDiskCalls
{
    public static readonly DiskCalls Real = new();

    private const int OpenReadOnly = 0;
    private const int DeniedOnUnix = 13;
    private const int InvalidOnUnix = 22;
    private const int ExistsOnUnix = 17;
    private const int NoSpaceOnUnix = 28;
    private const int QuotaOnLinux = 122;
    private const int QuotaOnMac = 69;
    private const int DiskFullOnWindows = unchecked((int)0x80070070);
    private const int HandleFullOnWindows = unchecked((int)0x80070027);

    private DiskCalls()
    {
    }

    public void Flush(SafeFileHandle file, string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            RandomAccess.FlushToDisk(file);
            return;
        }

        if (DataSync(file) != 0)
        {
            throw Failure("flush", path);
        }
    }

    /// <summary>Windows has no such call and needs none on NTFS.</summary>
    public void FlushDirectory(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        using var directory = new SafeFileHandle(Open(path, OpenReadOnly), ownsHandle: true);
        if (directory.IsInvalid || Sync(directory) != 0)
        {
            throw Failure("flush the directory", path);
        }
    }

    /// <summary>
    /// Gives a file another name if nothing has that. .NET looks first and renames then, and somebody may come between.
    /// </summary>
    /// <returns>False if the name is taken.</returns>
    /// <exception cref="IOException">It failed, or this file system has no way to do it.</exception>
    public static bool TryRename(string from, string to)
    {
        if (OperatingSystem.IsWindows())
        {
            return TryMove(from, to);
        }

        // Linked, not renamed: network file systems know that.
        if (Link(from, to) != 0)
        {
            return Marshal.GetLastPInvokeError() == ExistsOnUnix
                ? false
                : throw Failure("give its name to", to);
        }

        File.Delete(from);
        return true;
    }

    private static bool TryMove(string from, string to)
    {
        try
        {
            File.Move(from, to);
            return true;
        }
        catch (IOException) when (File.Exists(to))
        {
            return false;
        }
    }

    /// <summary>Tells "no rights" and "no such thing here" from a flush that was tried and failed.</summary>
    public static bool IsRefused(IOException exception) =>
        !OperatingSystem.IsWindows() && exception.HResult is (DeniedOnUnix or InvalidOnUnix);

    /// <summary>Tells "no room" from other failures.</summary>
    public static bool IsDiskFull(IOException exception) => exception.HResult switch
    {
        DiskFullOnWindows or HandleFullOnWindows => OperatingSystem.IsWindows(),
        NoSpaceOnUnix => !OperatingSystem.IsWindows(),
        QuotaOnLinux => OperatingSystem.IsLinux(),
        QuotaOnMac => OperatingSystem.IsMacOS(),
        _ => false,
    };

    private static IOException Failure(string what, string path)
    {
        var error = Marshal.GetLastPInvokeError();
        return new($"Can't {what} {path}: {Marshal.GetPInvokeErrorMessage(error)}.", error);
    }

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    private static partial int DataSync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string from, string to);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);
}
