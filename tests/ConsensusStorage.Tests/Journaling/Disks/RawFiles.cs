using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Orleans.Consensus.Tests.Journaling.Disks;

/// <summary>Files as the system has them, past the locks that .NET takes. Linux alone.</summary>
internal static partial class RawFiles
{
    private const int ByPath = -100;
    private const uint OfNumber = 0x100;
    private const int NumberOffset = 32;
    private const int ReadOnly = 0;

    /// <summary>The inode: what a name stands for, whatever it is called later.</summary>
    public static ulong NumberOf(string path)
    {
        var about = new byte[256];
        return Stat(ByPath, path, 0, OfNumber, about) == 0
            ? BitConverter.ToUInt64(about, NumberOffset)
            : throw new FileNotFoundException($"There is nothing at {path}.");
    }

    /// <summary>Where an open file is found, whatever its name is by now.</summary>
    public static string PathOf(SafeHandle file) => $"/proc/self/fd/{file.DangerousGetHandle()}";

    public static byte[] ReadAll(string path)
    {
        using var file = new SafeFileHandle(Open(path, ReadOnly), ownsHandle: true);
        var bytes = new byte[RandomAccess.GetLength(file)];
        Assert.Equal(bytes.Length, RandomAccess.Read(file, bytes, 0));
        return bytes;
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Stat(int directory, string path, int flags, uint mask, [Out] byte[] about);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);
}
