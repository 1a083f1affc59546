using Orleans.Consensus.Paxos;

namespace Orleans.Consensus.Codec;

/// <summary>
/// The fields that log records and messages share. Their layout is frozen: logs hold them, and silos of two releases
/// exchange them.
/// </summary>
internal static class ProtocolFields
{
    /// <summary>Bytes of a ballot.</summary>
    public const int BallotLength = 24;

    /// <summary>Bytes of a version.</summary>
    public const int VersionLength = 24;

    /// <summary>Round, then proposer.</summary>
    public static void WriteBallot(this ByteWriter writer, Ballot ballot)
    {
        writer.WriteInt64(ballot.Round);
        writer.WriteUInt128(ballot.Proposer.Value);
    }

    /// <summary>Writer, then sequence.</summary>
    public static void WriteVersion(this ByteWriter writer, RegisterVersion version)
    {
        writer.WriteUInt128(version.Writer.Value);
        writer.WriteUInt64(version.Sequence);
    }

    /// <summary>Reads a ballot; no ballot has a negative round.</summary>
    public static bool TryReadBallot(this ref ByteReader reader, out Ballot ballot)
    {
        var read = reader.TryReadInt64(out var round) & reader.TryReadUInt128(out var proposer);
        ballot = new(round, new(proposer));
        return read && round >= 0;
    }

    /// <summary>Reads a version.</summary>
    public static bool TryReadVersion(this ref ByteReader reader, out RegisterVersion version)
    {
        var read = reader.TryReadUInt128(out var writer) & reader.TryReadUInt64(out var sequence);
        version = new(new(writer), sequence);
        return read;
    }
}
