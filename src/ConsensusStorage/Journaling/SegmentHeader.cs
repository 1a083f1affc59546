using System.Buffers.Binary;
using System.IO.Hashing;
using Orleans.Consensus.Codec;

namespace Orleans.Consensus.Journaling;

/// <summary>
/// The first 4096 bytes of a segment: whose log it is, which of its segments, and after which other one.
/// <c>docs/journal-format.md</c> has the offsets; a golden test freezes them. Magic, version and the hash over all of
/// it stay where they are in every later version, so that a newer log is told from a damaged one.
/// </summary>
/// <param name="Identity">Whose log.</param>
/// <param name="Number">Place in the chain, counted from 1.</param>
/// <param name="Id">Random: a roll record counts only for the very segment that it names (S17).</param>
/// <param name="Previous">The former segment's id; zero for the first.</param>
/// <param name="Epoch">Owner epoch that created it.</param>
/// <param name="Capacity">Bytes the segment can hold; a preallocated one has exactly this length.</param>
/// <param name="Created">UTC milliseconds since 1970, for people.</param>
internal sealed record SegmentHeader(
    JournalIdentity Identity,
    int Number,
    UInt128 Id,
    UInt128 Previous,
    long Epoch,
    long Capacity,
    long Created)
{
    public const int Size = 4096;

    /// <summary>Of a log in a directory of one machine, or in blobs.</summary>
    public const uint Version = 1;

    /// <summary>Of a log in a directory that several machines share.</summary>
    public const uint SharedVersion = 2;

    private const int VersionOffset = 8;
    private const int HashOffset = Size - 16;
    private const int MaxText = HashOffset;

    /// <summary>
    /// Offset in the segment before at which this one goes on, whatever stands there; 0 if a roll record led here, or
    /// for the first one. Null but in shared directories.
    /// </summary>
    public long? GoesOnAt { get; init; }

    private static ReadOnlySpan<byte> Magic => "CJRNLSEG"u8;

    /// <summary>The header's bytes and its hash, from which the chain of the log's batches starts.</summary>
    /// <exception cref="ArgumentException">The names don't fit.</exception>
    public (byte[] Bytes, UInt128 Hash) Encode()
    {
        var writer = new ByteWriter(Size);
        writer.WriteBytes(Magic);
        writer.WriteUInt32(GoesOnAt is null ? Version : SharedVersion);
        writer.WriteUInt32((uint)Number);
        writer.WriteUInt128(Id);
        writer.WriteUInt128(Previous);
        writer.WriteUInt128(Identity.LogId.Value);
        writer.WriteInt64(Epoch);
        writer.WriteInt64(Capacity);
        writer.WriteInt64(Created);
        writer.WriteInt64(Identity.Generation);
        writer.WriteUInt32((uint)Identity.Groups);
        writer.WriteString(Identity.Service);
        writer.WriteString(Identity.Store);
        writer.WriteString(Identity.Replica.Name);
        writer.WriteString(Identity.Replicas);
        if (GoesOnAt is { } goesOnAt)
        {
            writer.WriteInt64(goesOnAt);
        }

        if (writer.Length > HashOffset)
        {
            throw new ArgumentException("The names of service, store and replicas are too long for a log's header.");
        }

        var bytes = new byte[Size];
        writer.WrittenSpan.CopyTo(bytes);
        var hash = XxHash128.HashToUInt128(bytes.AsSpan(0, HashOffset));
        BinaryPrimitives.WriteUInt128LittleEndian(bytes.AsSpan(HashOffset), hash);
        return (bytes, hash);
    }

    /// <summary>Reads a header out of untrusted bytes.</summary>
    /// <param name="place">The segment's name, for the message.</param>
    /// <exception cref="JournalCorruptException">It is damaged, or no header.</exception>
    /// <exception cref="JournalFormatException">A newer version wrote it.</exception>
    public static (SegmentHeader Header, UInt128 Hash) Decode(ReadOnlySpan<byte> bytes, string place)
    {
        var hash = bytes.Length < Size ? default : XxHash128.HashToUInt128(bytes[..HashOffset]);
        if (bytes.Length < Size
            || !bytes.StartsWith(Magic)
            || hash != BinaryPrimitives.ReadUInt128LittleEndian(bytes[HashOffset..]))
        {
            throw JournalDamage.At(place, "its header is damaged");
        }

        var version = BinaryPrimitives.ReadUInt32LittleEndian(bytes[VersionOffset..]);
        if (version > SharedVersion)
        {
            throw new JournalFormatException(
                $"{place} was written in format version {version}; this program reads versions up to {SharedVersion}. "
                + "Run a version of the program at least as new as the one that wrote it.");
        }

        return (DecodeFields(bytes[(VersionOffset + 4)..HashOffset], version, place), hash);
    }

    private static SegmentHeader DecodeFields(ReadOnlySpan<byte> bytes, uint version, string place)
    {
        var reader = new ByteReader(bytes);
        var goesOnAt = 0L;
        if (version is Version or SharedVersion
            && reader.TryReadUInt32(out var number)
            && reader.TryReadUInt128(out var id)
            && reader.TryReadUInt128(out var previous)
            && reader.TryReadUInt128(out var logId)
            && reader.TryReadInt64(out var epoch)
            && reader.TryReadInt64(out var capacity)
            && reader.TryReadInt64(out var created)
            && reader.TryReadInt64(out var generation)
            && reader.TryReadUInt32(out var groups)
            && reader.TryReadString(MaxText, out var service)
            && reader.TryReadString(MaxText, out var store)
            && reader.TryReadString(MaxText, out var replica)
            && reader.TryReadString(MaxText, out var replicas)
            && (version == Version || reader.TryReadInt64(out goesOnAt))
            && Sector.IsZero(bytes[reader.Position..]))
        {
            var identity = new JournalIdentity(
                service, store, new ReplicaId(replica), replicas, (int)groups, generation, new LogId(logId));
            return new(identity, (int)number, id, previous, epoch, capacity, created)
            {
                GoesOnAt = version == Version ? null : goesOnAt,
            };
        }

        throw JournalDamage.At(place, $"its header holds no fields of version {version}");
    }
}
