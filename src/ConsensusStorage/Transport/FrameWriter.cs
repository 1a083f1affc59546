using Orleans.Consensus.Codec;

namespace Orleans.Consensus.Transport;

/// <summary>
/// Writes the fields of a frame. Long payloads are not copied: the frame refers to them, so they must not change
/// any more (S24). Not thread-safe.
/// </summary>
internal sealed class FrameWriter(int capacity) : ByteWriter(capacity)
{
    /// <summary>Bytes of the shortest payload that is worth a piece of its own.</summary>
    public const int ShortestPiece = 1024;

    private readonly List<(int At, ReadOnlyMemory<byte> Bytes)> _payloads = [];
    private long _payloadBytes;

    /// <summary>How many of a payload's bytes are copied into the writer: all or none.</summary>
    public static int CopiedOf(int payloadLength) => payloadLength < ShortestPiece ? payloadLength : 0;

    /// <summary>Bytes of the frame so far, payloads included.</summary>
    public long FrameLength => Length + _payloadBytes;

    /// <summary>A LEB128 length, then the bytes.</summary>
    public void WritePayload(ReadOnlyMemory<byte> payload)
    {
        if (payload.Length < ShortestPiece)
        {
            WriteBlob(payload.Span);
            return;
        }

        WriteVarUInt((uint)payload.Length);
        _payloads.Add((Length, payload));
        _payloadBytes += payload.Length;
    }

    /// <summary>All that was written, in order.</summary>
    public FrameBytes ToFrame()
    {
        if (_payloads.Count == 0)
        {
            return new(WrittenMemory);
        }

        var pieces = new List<ReadOnlyMemory<byte>>((2 * _payloads.Count) + 1);
        var done = 0;
        foreach (var (at, bytes) in _payloads)
        {
            pieces.Add(WrittenMemory[done..at]);
            pieces.Add(bytes);
            done = at;
        }

        pieces.Add(WrittenMemory[done..]);
        return new([.. pieces.Where(piece => piece.Length > 0)]);
    }
}
