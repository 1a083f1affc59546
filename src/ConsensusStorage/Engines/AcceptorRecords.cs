using System.Collections.Immutable;
using Orleans.Consensus.Codec;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Paxos;

namespace Orleans.Consensus.Engines;

/// <summary>
/// The records an acceptor keeps in its log, as bytes: docs/journal-format.md. The format version stands in the
/// segment header. Each is one atomic step of one register, or of a whole group (S5).
/// </summary>
internal static class AcceptorRecords
{
    /// <summary>Group, register, promised ballot.</summary>
    public const byte PromiseKind = JournalBatch.FirstOwnerKind;

    /// <summary>Group, register, accepted ballot, promised ballot, version, payload or tombstone.</summary>
    public const byte AcceptKind = PromiseKind + 1;

    /// <summary>Group, floor (S11), horizon (S12).</summary>
    public const byte FloorKind = PromiseKind + 2;

    /// <summary>Group, register whose tombstone was dropped (S12).</summary>
    public const byte DropKind = PromiseKind + 3;

    /// <summary>The log ids of all replicas in ordinal order (S13).</summary>
    public const byte PeersKind = PromiseKind + 4;

    /// <summary>All replicas are known to have the log ids of all replicas (S13). Empty.</summary>
    public const byte FormedKind = PromiseKind + 5;

    public static void WritePromise(ByteWriter writer, int group, RegisterId register, Ballot promised)
    {
        writer.WriteVarUInt((uint)group);
        writer.WriteBlob(register.Key.Span);
        writer.WriteBallot(promised);
    }

    public static void WriteAccept(ByteWriter writer, int group, RegisterId register, AcceptorState state)
    {
        var value = state.Value!;
        WritePromise(writer, group, register, state.Promised);
        writer.WriteBallot(state.Accepted);
        writer.WriteVersion(value.Version);
        if (value.Payload is StoredPayload payload)
        {
            writer.WriteByte(1);
            writer.WriteUInt64(payload.Checksum);
            writer.WriteBlob(payload.InMemory!.Bytes.Span);
        }
        else
        {
            writer.WriteByte(0);
        }
    }

    public static void WriteFloor(ByteWriter writer, int group, GroupFloor floor)
    {
        writer.WriteVarUInt((uint)group);
        writer.WriteBallot(floor.Floor);
        writer.WriteBallot(floor.Horizon);
    }

    public static void WritePeers(ByteWriter writer, ImmutableArray<LogId> logs)
    {
        writer.WriteVarUInt((uint)logs.Length);
        foreach (var log in logs)
        {
            writer.WriteUInt128(log.Value);
        }
    }

    /// <summary>
    /// Reads group, register and promised ballot: a promise record, and the head of an accept record.
    /// </summary>
    public static bool TryReadPromise(
        ref ByteReader reader, out int group, out RegisterId register, out Ballot promised)
    {
        register = default;
        promised = default;
        if (!TryReadGroup(ref reader, out group) || !reader.TryReadBlob(out var key))
        {
            return false;
        }

        register = RegisterId.FromKey(key);
        return reader.TryReadBallot(out promised);
    }

    /// <summary>Reads what follows the head of an accept record.</summary>
    /// <param name="position">Where the record's bytes start in the log.</param>
    public static bool TryReadAccepted(
        ref ByteReader reader, JournalPosition position, out Ballot accepted, out RegisterValue? value)
    {
        value = null;
        if (!reader.TryReadBallot(out accepted)
            || !reader.TryReadVersion(out var version)
            || !reader.TryReadByte(out var hasPayload)
            || hasPayload > 1)
        {
            return false;
        }

        if (hasPayload == 0)
        {
            value = new(version, Payload: null);
            return reader.Remaining == 0;
        }

        if (!reader.TryReadUInt64(out var checksum) || !reader.TryReadBlob(out var bytes) || reader.Remaining != 0)
        {
            return false;
        }

        var at = position.Plus(reader.Position - bytes.Length);
        value = new(version, StoredPayload.InLog(at, bytes.Length, checksum));
        return true;
    }

    public static bool TryReadFloor(ref ByteReader reader, out int group, out GroupFloor floor)
    {
        var horizon = Ballot.None;
        var read = TryReadGroup(ref reader, out group)
            & reader.TryReadBallot(out var raised)
            & reader.TryReadBallot(out horizon);
        floor = new(raised, horizon);
        return read && reader.Remaining == 0;
    }

    public static bool TryReadPeers(ref ByteReader reader, out ImmutableArray<LogId> logs)
    {
        logs = [];
        if (!reader.TryReadVarUInt(out var count) || count > ReplicaSet.MaxReplicas)
        {
            return false;
        }

        var builder = ImmutableArray.CreateBuilder<LogId>((int)count);
        while (builder.Count < count && reader.TryReadUInt128(out var log))
        {
            builder.Add(new(log));
        }

        logs = builder.ToImmutable();
        return logs.Length == count && reader.Remaining == 0;
    }

    private static bool TryReadGroup(ref ByteReader reader, out int group)
    {
        var read = reader.TryReadVarUInt(out var raw) && raw <= int.MaxValue;
        group = (int)raw;
        return read;
    }
}
