using System.Collections.Immutable;
using System.IO.Hashing;
using Orleans.Consensus.Codec;
using Orleans.Consensus.Paxos;

namespace Orleans.Consensus.Clustering;

/// <summary>Whose documents they are; equal in all of them, and in whoever may use them.</summary>
/// <param name="Service">Orleans' ServiceId.</param>
/// <param name="Cluster">Orleans' ClusterId.</param>
/// <param name="Replicas">Number of documents.</param>
internal readonly record struct DocumentOwner(string Service, string Cluster, int Replicas);

/// <summary>
/// One acceptor as a document: it has no process, whoever speaks for it writes down what it promised and accepted
/// before he passes its word on (S5). Immutable.
/// </summary>
/// <param name="Index">Which of the documents it is.</param>
/// <param name="Id">Random; a document that was lost comes back with another one (S13).</param>
/// <param name="Peers">The ids of all documents in order; empty until all of them are known (S13).</param>
/// <param name="IsFormed">All documents are known to have <paramref name="Peers"/>; until then it has no vote.</param>
internal sealed record AcceptorDocument(
    DocumentOwner Owner, int Index, LogId Id, ImmutableArray<LogId> Peers, bool IsFormed, AcceptorState State)
{
    /// <summary>What it says before it has been asked anything.</summary>
    public static readonly AcceptorState Fresh = AcceptorState.Absent(Ballot.None);

    private const uint Magic = 0x3144434F; // "OCD1"
    private const int MostNameBytes = 4096;

    public ReadOnlyMemory<byte> Encode()
    {
        var body = new ByteWriter(1024);
        body.WriteString(Owner.Service);
        body.WriteString(Owner.Cluster);
        body.WriteVarUInt((uint)Owner.Replicas);
        body.WriteVarUInt((uint)Index);
        body.WriteUInt128(Id.Value);
        body.WriteVarUInt((uint)Peers.Length);
        foreach (var peer in Peers)
        {
            body.WriteUInt128(peer.Value);
        }

        body.WriteByte(IsFormed ? (byte)1 : (byte)0);
        body.WriteBallot(State.Promised);
        body.WriteBallot(State.Accepted);
        if (State.Value is { } value)
        {
            body.WriteVersion(value.Version);
            body.WriteByte(value.IsTombstone ? (byte)0 : (byte)1);
            body.WriteBlob(value.Payload is PayloadBytes payload ? payload.Bytes.Span : default);
        }

        var whole = new ByteWriter(body.Length + 16);
        whole.WriteUInt32(Magic);
        whole.WriteUInt64(XxHash3.HashToUInt64(body.WrittenSpan));
        whole.WriteBytes(body.WrittenSpan);
        return whole.WrittenMemory;
    }

    /// <exception cref="InvalidDataException">These bytes are no document of this kind, or a damaged one.</exception>
    public static AcceptorDocument Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes);
        if (!reader.TryReadUInt32(out var magic) || magic != Magic)
        {
            throw new InvalidDataException("it is no membership document, or one of a newer format");
        }

        if (!reader.TryReadUInt64(out var hash) || hash != XxHash3.HashToUInt64(bytes[reader.Position..]))
        {
            throw new InvalidDataException("it is damaged");
        }

        return TryDecode(ref reader) ?? throw new InvalidDataException("it is malformed");
    }

    private static AcceptorDocument? TryDecode(ref ByteReader reader)
    {
        if (!reader.TryReadString(MostNameBytes, out var service)
            || !reader.TryReadString(MostNameBytes, out var cluster)
            || !reader.TryReadVarUInt(out var replicas)
            || replicas is 0 or > ReplicaSet.MaxReplicas
            || !reader.TryReadVarUInt(out var index)
            || index >= replicas
            || !reader.TryReadUInt128(out var id)
            || !TryReadPeers(ref reader, (int)replicas, out var peers)
            || !reader.TryReadByte(out var formed)
            || formed > 1
            || !TryReadState(ref reader, out var state)
            || reader.Remaining != 0)
        {
            return null;
        }

        // It is one of those that it knows, and has no vote before it knows them.
        var fits = peers.IsEmpty ? formed == 0 : peers[(int)index].Value == id;
        var owner = new DocumentOwner(service, cluster, (int)replicas);
        return fits ? new(owner, (int)index, new(id), peers, formed == 1, state) : null;
    }

    private static bool TryReadPeers(ref ByteReader reader, int replicas, out ImmutableArray<LogId> peers)
    {
        peers = [];
        if (!reader.TryReadVarUInt(out var count) || (count != 0 && count != replicas))
        {
            return false;
        }

        var read = ImmutableArray.CreateBuilder<LogId>((int)count);
        while (read.Count < count && reader.TryReadUInt128(out var peer))
        {
            read.Add(new(peer));
        }

        peers = read.ToImmutable();
        return peers.Length == count;
    }

    private static bool TryReadState(ref ByteReader reader, out AcceptorState state)
    {
        state = Fresh;
        if (!reader.TryReadBallot(out var promised) || !reader.TryReadBallot(out var accepted))
        {
            return false;
        }

        if (accepted.IsNone)
        {
            state = new(promised, accepted, null);
            return true;
        }

        if (!reader.TryReadVersion(out var version)
            || !reader.TryReadByte(out var hasPayload)
            || hasPayload > 1
            || !reader.TryReadBlob(out var payload)
            || (hasPayload == 0 && payload.Length > 0))
        {
            return false;
        }

        var value = new RegisterValue(version, hasPayload == 1 ? new PayloadBytes(payload.ToArray()) : null);
        state = new(promised, accepted, value);
        return true;
    }
}
