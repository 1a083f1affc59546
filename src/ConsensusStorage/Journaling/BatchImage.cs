using System.IO.Hashing;
using System.Numerics;

namespace Orleans.Consensus.Journaling;

/// <summary>
/// The bytes of one batch as they go to the segment: header, body, zeros up to the sector's end. The buffer is
/// reused from append to append. Not thread-safe.
/// </summary>
internal sealed class BatchImage
{
    private const int KeptBytes = 1 << 20;

    private byte[] _buffer = new byte[4096];
    private int _length;

    public ReadOnlyMemory<byte> Bytes => _buffer.AsMemory(0, _length);

    /// <summary>The batch's link in the chain.</summary>
    public UInt128 Hash { get; private set; }

    public static int ExtentOf(JournalBatch batch) => Sector.AlignUp(BatchHeader.Size + batch.Length);

    public void Build(JournalBatch batch, SegmentHeader segment, long start, long id, UInt128 previous)
    {
        _length = ExtentOf(batch);
        if (_buffer.Length < _length || (_buffer.Length > KeptBytes && _length <= KeptBytes))
        {
            // One huge batch must not hold its memory for ever.
            _buffer = new byte[_length <= KeptBytes ? BitOperations.RoundUpToPowerOf2((uint)_length) : (uint)_length];
        }

        var bytes = _buffer.AsSpan(0, _length);
        var body = batch.Body.Span;
        body.CopyTo(bytes[BatchHeader.Size..]);
        bytes[(BatchHeader.Size + body.Length)..].Clear();

        // The first sector has the header in it and is never zero, so only the others need a look.
        var header = new BatchHeader(
            segment.Id, segment.Number, start, id, batch.Count, body.Length, Sector.CountZero(bytes[Sector.Size..]),
            previous, XxHash128.HashToUInt128(body));
        Hash = header.Write(bytes);
    }
}
