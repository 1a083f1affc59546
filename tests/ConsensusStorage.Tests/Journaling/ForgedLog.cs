using System.Buffers.Binary;
using System.Collections.Immutable;
using System.IO.Hashing;
using Orleans.Consensus.Codec;
using Orleans.Consensus.Journaling;

namespace Orleans.Consensus.Tests.Journaling;

/// <summary>
/// A log of one or two segments of which every hash is right, whatever the hashes are of: what stands behind them is
/// all that can be wrong.
/// </summary>
/// <param name="Bodies">One of each batch, at most <see cref="MaxBody"/> bytes.</param>
/// <param name="Rolled">The batch with the roll record; none if there is one segment only.</param>
/// <param name="Torn">The batch that passes over what a torn write left behind it; none if nothing was left.</param>
/// <param name="Gap">How many sectors that is.</param>
/// <param name="Batch">The batch whose header is changed, counted from 1.</param>
/// <param name="Field">Which field of it.</param>
/// <param name="Value">What is put there.</param>
internal sealed record ForgedLog(
    ImmutableArray<byte[]> Bodies,
    int? Rolled = null,
    int? Torn = null,
    int Gap = 0,
    int Batch = 0,
    int Field = 0,
    long Value = 0)
{
    private const int MaxBody = 4096;

    private static readonly SegmentHeader First = new(
        TestLog.DefaultIdentity, Number: 1, Id: 0x11, Previous: 0, Epoch: 1, Capacity: 5 * MaxBody, Created: 5);

    private static readonly SegmentHeader Second = First with { Number = 2, Id = 0x22, Previous = First.Id, Epoch = 2 };

    /// <summary>A log of these records in two to four batches, behind a fence as at every beginning.</summary>
    public static ForgedLog Of((byte Kind, byte[] Bytes)[] records, int firstBatch, bool rolls, int gap)
    {
        var bodies = ImmutableArray.Create(
            Body(batch =>
            {
                new FenceRecord(1, 5, TestLog.DefaultOwner).AddTo(batch);
                AddAll(batch, records.Take(firstBatch));
            }),
            Body(batch => AddAll(batch, records.Skip(firstBatch))));
        if (rolls)
        {
            bodies = bodies.Insert(1, Body(new RollRecord(2, Second.Id, Second.Encode().Hash).AddTo));
        }

        if (gap > 0)
        {
            var end = SegmentHeader.Size + Extent(bodies[0]) + Sector.Size;
            bodies = bodies.Insert(1, Body(new TornRecord(end + (gap * Sector.Size)).AddTo));
        }

        var torn = gap > 0 ? 1 : 0;
        return new(bodies, rolls ? 1 + torn : null, gap > 0 ? torn : null, gap);
    }

    public ForgedLog With(int index, byte[] body) =>
        this with { Bodies = Bodies.SetItem(index, body[..Math.Min(body.Length, MaxBody)]) };

    /// <summary>The segments' bytes.</summary>
    public IReadOnlyList<byte[]> Segments()
    {
        var chain = new Chain(First.Encode().Hash, 0);
        var first = Write(First, Bodies[..(Rolled + 1 ?? Bodies.Length)], ref chain);
        return Rolled is { } roll ? [first, Write(Second, Bodies[(roll + 1)..], ref chain)] : [first];
    }

    /// <summary>Puts the hash of a segment's header where it belongs.</summary>
    public static byte[] WithHash(byte[] header)
    {
        var bytes = new byte[SegmentHeader.Size];
        header.AsSpan(0, Math.Min(header.Length, bytes.Length - 16)).CopyTo(bytes);
        BinaryPrimitives.WriteUInt128LittleEndian(bytes.AsSpan(^16..), XxHash128.HashToUInt128(bytes.AsSpan(..^16)));
        return bytes;
    }

    public static byte[] Body(Action<JournalBatch> add)
    {
        var batch = new JournalBatch();
        add(batch);
        return batch.Body.ToArray();
    }

    public override string ToString() =>
        $"batch {Batch} field {Field} = {Value}, roll in {Rolled}, {Gap} torn sectors behind {Torn}: "
        + string.Join(' ', Bodies.Select(Convert.ToHexString));

    private byte[] Write(SegmentHeader segment, ImmutableArray<byte[]> bodies, ref Chain chain)
    {
        var image = new byte[segment.Capacity];
        segment.Encode().Bytes.CopyTo(image, 0);
        var offset = SegmentHeader.Size;
        for (var i = 0; i < bodies.Length; i++)
        {
            var body = bodies[i];
            var bytes = image.AsSpan(offset, Extent(body));
            body.CopyTo(bytes[BatchHeader.Size..]);
            var header = Changed(new(
                segment.Id, segment.Number, offset, chain.Id + 1, RecordsIn(body), body.Length,
                Sector.CountZero(bytes[Sector.Size..]), chain.Hash, XxHash128.HashToUInt128(body)));
            chain = new(header.Write(bytes), chain.Id + 1);
            offset += bytes.Length;
            if (i == Torn && segment == First)
            {
                image.AsSpan(offset, Gap * Sector.Size).Fill(0xA5);
                offset += Gap * Sector.Size;
            }
        }

        return image;
    }

    private static int Extent(byte[] body) => Sector.AlignUp(BatchHeader.Size + body.Length);

    private BatchHeader Changed(BatchHeader header) => header.Id != Batch ? header : Field switch
    {
        0 => header with { Segment = (UInt128)Value },
        1 => header with { Number = (int)Value },
        2 => header with { Start = Value },
        3 => header with { Id = Value },
        4 => header with { Count = (int)Value },
        5 => header with { BodyLength = (int)Value },
        6 => header with { ZeroSectors = (int)Value },
        7 => header with { Previous = (UInt128)Value },
        _ => header with { BodyHash = (UInt128)Value },
    };

    private static void AddAll(JournalBatch batch, IEnumerable<(byte Kind, byte[] Bytes)> records)
    {
        foreach (var (kind, bytes) in records)
        {
            batch.Add(kind, bytes);
        }
    }

    private static int RecordsIn(byte[] body)
    {
        var reader = new ByteReader(body);
        var count = 0;
        while (reader.TryReadByte(out _) && reader.TryReadBlob(out _))
        {
            count++;
        }

        return count;
    }

    private readonly record struct Chain(UInt128 Hash, long Id);
}
