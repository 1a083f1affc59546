namespace Orleans.Consensus.Simulation.Kernel;

/// <summary>Bytes with zeros behind them wherever they grow; small steps do not copy all of them each time.</summary>
internal sealed class GrowingBytes(byte[] content)
{
    private byte[] _bytes = content;

    public int Length { get; private set; } = content.Length;

    /// <summary>All of them, until they grow.</summary>
    public Span<byte> Span => _bytes.AsSpan(0, Length);

    /// <summary>Makes them longer, if they are shorter.</summary>
    public void GrowTo(int length)
    {
        if (length > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(length, 2 * _bytes.Length));
        }

        Length = Math.Max(Length, length);
    }

    /// <summary>Copies what is there from <paramref name="offset"/> on; returns how many that were.</summary>
    public int Read(long offset, Span<byte> buffer)
    {
        var count = (int)Math.Clamp(Length - offset, 0, buffer.Length);
        Span.Slice((int)Math.Min(offset, Length), count).CopyTo(buffer);
        return count;
    }

    public void Write(int offset, ReadOnlySpan<byte> bytes)
    {
        GrowTo(offset + bytes.Length);
        bytes.CopyTo(Span[offset..]);
    }

    public void Become(ReadOnlySpan<byte> content)
    {
        (_bytes, Length) = (content.ToArray(), content.Length);
    }
}
