using System.Buffers.Binary;
using CsCheck;

namespace Orleans.Consensus.Tests.Fuzzing;

/// <summary>
/// Valid bytes with a few changes of the kinds that decoders stumble over: flipped bits, cut ends, bytes that are too
/// many or missing, lengths and numbers at their extremes, and the head of one message before the tail of another.
/// </summary>
internal static class Mutant
{
    private const int EditKinds = 10;

    private static readonly byte[][] Lengths =
    [
        [0], [1], [0x7F], [0x80, 0x01], [0xFF, 0xFF, 0x03], [0xFF, 0xFF, 0xFF, 0xFF, 0x07],
        [0x80, 0x80, 0x80, 0x80, 0x08], [0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF], [0x80, 0x00],
    ];

    private static readonly ulong[] Numbers =
    [
        0, 1, ulong.MaxValue, long.MaxValue, 1UL << 63, int.MaxValue, 1UL << 31, uint.MaxValue, 1UL << 32, 0x100,
    ];

    /// <summary>One to five changes of what <paramref name="valid"/> makes.</summary>
    public static Gen<byte[]> Of(Gen<byte[]> valid) => WithParents(valid).Select(one => one.Child);

    /// <summary>The same, with the two that it was made of.</summary>
    public static Gen<(byte[] Child, byte[] Mother, byte[] Father)> WithParents(Gen<byte[]> valid) => Gen.Select(
        valid,
        valid,
        Gen.Select(Gen.Int[0, EditKinds - 1], Gen.UInt, Gen.UInt).Array[1, 5],
        (bytes, other, edits) => (
            edits.Aggregate(
                bytes, (changed, edit) => Apply(changed, other, edit.Item1, edit.Item2, edit.Item3)),
            bytes,
            other));

    private static byte[] Apply(byte[] bytes, byte[] other, int kind, uint place, uint value)
    {
        var at = (int)(place % (uint)(bytes.Length + 1));
        var length = (int)(value % 24) + 1;
        var end = Math.Min(at + length, bytes.Length);
        return kind switch
        {
            0 => Over(bytes, at, [(byte)((at < bytes.Length ? bytes[at] : 0) ^ (1 << (int)(value % 8)))]),
            1 => Over(bytes, at, [(byte)value]),
            2 => bytes[..at],
            3 => [.. bytes[..at], .. new byte[length], .. bytes[at..]],
            4 => [.. bytes[..end], .. bytes[at..end], .. bytes[end..]],
            5 => [.. bytes[..at], .. bytes[end..]],
            6 => [.. bytes[..at], .. Lengths[value % Lengths.Length], .. bytes[BehindLength(bytes, at)..]],
            7 => Over(bytes, at, Number(value, 4)),
            8 => Over(bytes, at, Number(value, 8)),
            _ => [.. bytes[..at], .. other[(int)(value % (uint)(other.Length + 1))..]],
        };
    }

    private static byte[] Over(byte[] bytes, int at, ReadOnlySpan<byte> with)
    {
        var changed = (byte[])bytes.Clone();
        with[..Math.Min(with.Length, bytes.Length - at)].CopyTo(changed.AsSpan(at));
        return changed;
    }

    private static byte[] Number(uint value, int width)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, Numbers[value % Numbers.Length]);
        return bytes[..width];
    }

    /// <summary>The place behind the LEB128 length that starts at a place, if one does.</summary>
    private static int BehindLength(byte[] bytes, int at)
    {
        var end = at;
        while (end < bytes.Length && end < at + 5 && bytes[end++] >= 0x80)
        {
        }

        return end;
    }
}
