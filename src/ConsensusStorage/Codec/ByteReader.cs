using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace Orleans.Consensus.Codec;

/// <summary>
/// Reads what <see cref="ByteWriter"/> wrote, out of bytes that nobody vouches for: every call says whether the bytes
/// were there, nothing throws, and no length that was read is believed before it fits into what remains.
/// </summary>
internal ref struct ByteReader(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;

    public int Position { get; private set; }

    public readonly int Remaining => _bytes.Length - Position;

    public bool TryReadByte(out byte value)
    {
        var read = TryReadBytes(1, out var span);
        value = read ? span[0] : (byte)0;
        return read;
    }

    public bool TryReadUInt32(out uint value)
    {
        var read = TryReadBytes(4, out var span);
        value = read ? BinaryPrimitives.ReadUInt32LittleEndian(span) : 0;
        return read;
    }

    public bool TryReadUInt64(out ulong value)
    {
        var read = TryReadBytes(8, out var span);
        value = read ? BinaryPrimitives.ReadUInt64LittleEndian(span) : 0;
        return read;
    }

    public bool TryReadInt64(out long value)
    {
        var read = TryReadUInt64(out var raw);
        value = (long)raw;
        return read;
    }

    public bool TryReadUInt128(out UInt128 value)
    {
        var read = TryReadBytes(16, out var span);
        value = read ? BinaryPrimitives.ReadUInt128LittleEndian(span) : 0;
        return read;
    }

    /// <summary>At most five bytes, and only the shortest form: one value has one encoding.</summary>
    public bool TryReadVarUInt(out uint value)
    {
        value = 0;
        for (var shift = 0; shift < 35; shift += 7)
        {
            if (!TryReadByte(out var next) || (shift == 28 && next > 0x0F))
            {
                return false;
            }

            value |= (uint)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return next != 0 || shift == 0;
            }
        }

        return false;
    }

    public bool TryReadBytes(int count, out ReadOnlySpan<byte> bytes)
    {
        if ((uint)count > (uint)Remaining)
        {
            bytes = default;
            return false;
        }

        bytes = _bytes.Slice(Position, count);
        Position += count;
        return true;
    }

    /// <summary>A LEB128 length, then the bytes.</summary>
    public bool TryReadBlob(out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        return TryReadVarUInt(out var length) && length <= Remaining && TryReadBytes((int)length, out bytes);
    }

    /// <summary>
    /// A blob of UTF-8 of at most <paramref name="maxBytes"/> bytes. Bytes that are no UTF-8 are refused instead of
    /// replaced: two texts would become one.
    /// </summary>
    public bool TryReadString(int maxBytes, out string text)
    {
        var read = TryReadBlob(out var bytes) && bytes.Length <= maxBytes && Utf8.IsValid(bytes);
        text = read ? Encoding.UTF8.GetString(bytes) : "";
        return read;
    }
}
