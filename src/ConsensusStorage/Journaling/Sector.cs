namespace Orleans.Consensus.Journaling;

/// <summary>
/// The unit that a disk writes whole or not at all: 512 bytes is what every disk promises. Batches begin and end at
/// sector boundaries, so that a torn write shows as sectors that are still zero.
/// </summary>
internal static class Sector
{
    public const int Size = 512;

    public static int AlignUp(int bytes) => checked(bytes + (Size - 1)) & ~(Size - 1);

    public static long AlignUp(long offset) => checked(offset + (Size - 1)) & ~(Size - 1L);

    public static bool IsAligned(long offset) => offset % Size == 0;

    public static bool IsZero(ReadOnlySpan<byte> bytes) => !bytes.ContainsAnyExcept((byte)0);

    /// <summary>Number of sectors of <paramref name="bytes"/> (a multiple of a sector) with nothing in them.</summary>
    public static int CountZero(ReadOnlySpan<byte> bytes)
    {
        var count = 0;
        for (; bytes.Length >= Size; bytes = bytes[Size..])
        {
            count += IsZero(bytes[..Size]) ? 1 : 0;
        }

        return count;
    }
}
