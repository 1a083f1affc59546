using Orleans.Consensus.Codec;

namespace Orleans.Consensus.Journaling;

/// <summary>The record by which an owner takes a log over (S17). Kind 1.</summary>
/// <param name="Epoch">One more than the former owner's.</param>
/// <param name="Time">UTC milliseconds since 1970, for people.</param>
internal sealed record FenceRecord(long Epoch, long Time, JournalOwner Owner)
{
    public const byte Kind = 1;

    public void AddTo(JournalBatch batch)
    {
        var writer = new ByteWriter(128);
        writer.WriteInt64(Epoch);
        writer.WriteInt64(Time);
        writer.WriteString(Owner.Cluster);
        writer.WriteString(Owner.Silo);
        batch.AddAny(Kind, writer.WrittenSpan);
    }

    public static FenceRecord? TryRead(ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes);
        return reader.TryReadInt64(out var epoch)
            && reader.TryReadInt64(out var time)
            && reader.TryReadString(bytes.Length, out var cluster)
            && reader.TryReadString(bytes.Length, out var silo)
            && reader.Remaining == 0
            ? new(epoch, time, new(cluster, silo))
            : null;
    }
}

/// <summary>
/// The last record of a segment: the log goes on in the one that it names, and in no other (S17). Kind 2.
/// </summary>
/// <param name="Number">The next segment's number.</param>
/// <param name="Id">Its random id.</param>
/// <param name="HeaderHash">The hash of its header, which thereby hangs on the chain.</param>
internal sealed record RollRecord(int Number, UInt128 Id, UInt128 HeaderHash)
{
    public const byte Kind = 2;

    public void AddTo(JournalBatch batch)
    {
        var writer = new ByteWriter(64);
        writer.WriteUInt32((uint)Number);
        writer.WriteUInt128(Id);
        writer.WriteUInt128(HeaderHash);
        batch.AddAny(Kind, writer.WrittenSpan);
    }

    public static RollRecord? TryRead(ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes);
        return reader.TryReadUInt32(out var number)
            && reader.TryReadUInt128(out var id)
            && reader.TryReadUInt128(out var hash)
            && reader.Remaining == 0
            ? new((int)number, id, hash)
            : null;
    }
}

/// <summary>
/// What stands behind it, up to a place, is what a torn write left: nobody looks at it any more, and the log goes on
/// at that place. Kind 3.
/// </summary>
/// <param name="ResumeAt">Offset in the segment of the next batch; a whole number of sectors.</param>
internal sealed record TornRecord(long ResumeAt)
{
    public const byte Kind = 3;

    public void AddTo(JournalBatch batch)
    {
        var writer = new ByteWriter(8);
        writer.WriteInt64(ResumeAt);
        batch.AddAny(Kind, writer.WrittenSpan);
    }

    public static TornRecord? TryRead(ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes);
        return reader.TryReadInt64(out var resumeAt) && reader.Remaining == 0 ? new(resumeAt) : null;
    }
}
