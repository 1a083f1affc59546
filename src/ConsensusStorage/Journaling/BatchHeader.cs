using System.Buffers.Binary;
using System.IO.Hashing;

namespace Orleans.Consensus.Journaling;

/// <summary>
/// What stands before the body of a batch. Its own hash covers the body's hash and the hash of the batch before, so
/// that it stands for the whole log up to here: gaps, duplicates and misplaced batches don't fit into the chain.
/// <c>docs/journal-format.md</c> has the offsets; a golden test freezes them.
/// </summary>
/// <param name="Segment">Random id of the segment it was written to.</param>
/// <param name="Number">Number of that segment.</param>
/// <param name="Start">Offset in that segment.</param>
/// <param name="Id">Sequence number in the log, counted from 1.</param>
/// <param name="Count">Number of records.</param>
/// <param name="BodyLength">Bytes of the body, without the zeros up to the next sector.</param>
/// <param name="ZeroSectors">
/// Sectors of the batch that are rightly all zero; one more of them in a log means that a write was torn.
/// </param>
/// <param name="Previous">Hash of the batch before; of the segment's header for the log's first batch.</param>
/// <param name="BodyHash">XxHash128 of the body.</param>
internal readonly record struct BatchHeader(
    UInt128 Segment,
    int Number,
    long Start,
    long Id,
    int Count,
    int BodyLength,
    int ZeroSectors,
    UInt128 Previous,
    UInt128 BodyHash)
{
    public const int Size = 104;

    private const int HashOffset = Size - 16;

    private static ReadOnlySpan<byte> Magic => "CJRNLBAT"u8;

    /// <summary>Bytes the whole batch takes in the segment, a multiple of a sector.</summary>
    public int Extent => Sector.AlignUp(Size + BodyLength);

    /// <summary>Writes the header and returns its hash, which is the batch's link in the chain.</summary>
    public UInt128 Write(Span<byte> bytes)
    {
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt128LittleEndian(bytes[8..], Segment);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[24..], Id);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[32..], Start);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[40..], Number);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[44..], Count);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[48..], BodyLength);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[52..], ZeroSectors);
        BinaryPrimitives.WriteUInt128LittleEndian(bytes[56..], Previous);
        BinaryPrimitives.WriteUInt128LittleEndian(bytes[72..], BodyHash);
        var hash = XxHash128.HashToUInt128(bytes[..HashOffset]);
        BinaryPrimitives.WriteUInt128LittleEndian(bytes[HashOffset..], hash);
        return hash;
    }

    /// <summary>
    /// False if these bytes are no intact header. Does not: say whether the header belongs here, nor whether its
    /// body is intact.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out BatchHeader header, out UInt128 hash)
    {
        header = default;
        hash = default;
        if (bytes.Length < Size || !bytes.StartsWith(Magic))
        {
            return false;
        }

        hash = XxHash128.HashToUInt128(bytes[..HashOffset]);
        if (hash != BinaryPrimitives.ReadUInt128LittleEndian(bytes[HashOffset..]))
        {
            return false;
        }

        header = new(
            Segment: BinaryPrimitives.ReadUInt128LittleEndian(bytes[8..]),
            Id: BinaryPrimitives.ReadInt64LittleEndian(bytes[24..]),
            Start: BinaryPrimitives.ReadInt64LittleEndian(bytes[32..]),
            Number: BinaryPrimitives.ReadInt32LittleEndian(bytes[40..]),
            Count: BinaryPrimitives.ReadInt32LittleEndian(bytes[44..]),
            BodyLength: BinaryPrimitives.ReadInt32LittleEndian(bytes[48..]),
            ZeroSectors: BinaryPrimitives.ReadInt32LittleEndian(bytes[52..]),
            Previous: BinaryPrimitives.ReadUInt128LittleEndian(bytes[56..]),
            BodyHash: BinaryPrimitives.ReadUInt128LittleEndian(bytes[72..]));
        return true;
    }
}
