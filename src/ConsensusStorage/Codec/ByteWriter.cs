using System.Buffers.Binary;
using System.Text;

namespace Orleans.Consensus.Codec;

/// <summary>
/// A growing buffer of little-endian fields, for records and messages. Reused by <see cref="Clear"/>.
/// Not thread-safe.
/// </summary>
internal class ByteWriter(int capacity)
{
    private const int KeptBytes = 2 * 1024 * 1024;

    private byte[] _buffer = new byte[capacity];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> WrittenSpan => _buffer.AsSpan(0, Length);

    public ReadOnlyMemory<byte> WrittenMemory => _buffer.AsMemory(0, Length);

    public void Clear()
    {
        Length = 0;
        if (_buffer.Length > KeptBytes)
        {
            // One giant must not hold its memory for ever.
            _buffer = new byte[capacity];
        }
    }

    /// <summary>Drops what was written behind <paramref name="length"/>.</summary>
    public void Truncate(int length) => Length = Math.Min(Length, length);

    public void WriteByte(byte value) => Reserve(1)[0] = value;

    public void WriteUInt32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Reserve(4), value);

    public void WriteUInt64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Reserve(8), value);

    public void WriteInt64(long value) => BinaryPrimitives.WriteInt64LittleEndian(Reserve(8), value);

    public void WriteUInt128(UInt128 value) => BinaryPrimitives.WriteUInt128LittleEndian(Reserve(16), value);

    /// <summary>Unsigned LEB128: seven bits a byte, least first, the top bit says that more follow.</summary>
    public void WriteVarUInt(uint value)
    {
        while (value >= 0x80)
        {
            WriteByte((byte)(value | 0x80));
            value >>= 7;
        }

        WriteByte((byte)value);
    }

    public void WriteBytes(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Reserve(bytes.Length));

    /// <summary>A LEB128 length, then the bytes.</summary>
    public void WriteBlob(ReadOnlySpan<byte> bytes)
    {
        WriteVarUInt((uint)bytes.Length);
        WriteBytes(bytes);
    }

    /// <summary>A blob of UTF-8.</summary>
    public void WriteString(string text) => WriteBlob(Encoding.UTF8.GetBytes(text));

    /// <summary>Zeros up to the next multiple of <paramref name="alignment"/>.</summary>
    public void PadTo(int alignment)
    {
        var rest = Length % alignment;
        if (rest != 0)
        {
            Reserve(alignment - rest).Clear();
        }
    }

    private Span<byte> Reserve(int count)
    {
        if (count > _buffer.Length - Length)
        {
            var size = checked(Length + count);
            Array.Resize(ref _buffer, Math.Max(size, (int)Math.Min(Array.MaxLength, _buffer.Length * 2L)));
        }

        var span = _buffer.AsSpan(Length, count);
        Length += count;
        return span;
    }
}
