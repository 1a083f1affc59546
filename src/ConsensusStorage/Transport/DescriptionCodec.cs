using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Orleans.Consensus.Codec;
using Orleans.Consensus.Paxos;

namespace Orleans.Consensus.Transport;

/// <summary>
/// The messages of discovery, and refusals, as bytes; by the rules of <see cref="MessageCodec"/>.
/// </summary>
internal static class DescriptionCodec
{
    /// <summary>Longest shape of a store, in UTF-8 bytes. It is compared, so it can't be cut off.</summary>
    public const int MaxShapeLength = 16 * 1024;

    private const byte NoStore = 0;
    private const byte Store = 1;
    private const byte StoreOfLeaver = 2;

    /// <exception cref="InvalidOperationException">The name is too long.</exception>
    public static FrameBytes EncodeQuestion(string store, ulong nonce, ClusterSecret? secret)
    {
        var writer = Frame.Begin(MessageKind.DescribeRequest, nonce, secret, 8 + (3L * store.Length));
        MessageCodec.WriteStore(writer, store);
        return Frame.End(writer, secret);
    }

    /// <summary>Encodes a description, or that there is no such store.</summary>
    /// <exception cref="InvalidOperationException">It is too long.</exception>
    public static FrameBytes Encode(StoreDescription? description, ulong nonce, ClusterSecret? secret)
    {
        var writer = Frame.Begin(MessageKind.DescribeReply, nonce, secret, 1024);
        writer.WriteByte(description switch
        {
            null => NoStore,
            { IsDone: true } => StoreOfLeaver,
            _ => Store,
        });
        if (description is not null)
        {
            if (Encoding.UTF8.GetByteCount(description.Shape) > MaxShapeLength)
            {
                throw new InvalidOperationException($"The shape of a store takes at most {MaxShapeLength} bytes.");
            }

            writer.WriteString(description.Shape);
            writer.WriteVarUInt((uint)description.Replicas.Length);
            foreach (var replica in description.Replicas)
            {
                Write(writer, replica);
            }

            // What silos of before replicas floated don't know is not written where nothing floats.
            foreach (var replica in description.Floats ? description.Replicas : [])
            {
                writer.WriteInt64(replica.Epoch);
                writer.WriteByte(replica.IsGuest ? (byte)1 : (byte)0);
            }
        }

        return Frame.End(writer, secret);
    }

    /// <summary>Encodes why there is no answer.</summary>
    public static FrameBytes EncodeRefusal(string why)
    {
        var writer = Frame.Begin(MessageKind.Refusal, nonce: 0, secret: null, 8 + (3L * MessageCodec.MaxTextLength));
        MessageCodec.WriteText(writer, why);
        return Frame.End(writer, secret: null);
    }

    /// <param name="error">What is wrong, in words, if it is.</param>
    public static bool TryDecodeQuestion(in Frame frame, out string store, out string error)
    {
        store = "";
        var reader = new ByteReader(frame.Body.Span);
        var read = frame.Kind == MessageKind.DescribeRequest
            && reader.TryReadString(MessageCodec.MaxStoreLength, out store)
            && reader.Remaining == 0;
        error = read ? "" : MessageCodec.Damaged(frame, MessageKind.DescribeRequest, reader.Position);
        return read;
    }

    /// <param name="description">Null also if there is no such store.</param>
    /// <param name="error">What is wrong, in words, if it is.</param>
    public static bool TryDecode(in Frame frame, out StoreDescription? description, out string error)
    {
        description = null;
        var reader = new ByteReader(frame.Body.Span);
        var read = frame.Kind == MessageKind.DescribeReply
            && TryReadDescription(ref reader, out description)
            && reader.Remaining == 0;
        description = read ? description : null;
        error = read ? "" : MessageCodec.Damaged(frame, MessageKind.DescribeReply, reader.Position);
        return read;
    }

    /// <param name="error">What is wrong, in words, if it is.</param>
    public static bool TryDecodeRefusal(in Frame frame, out string why, out string error)
    {
        string? text = null;
        var reader = new ByteReader(frame.Body.Span);
        var read = frame.Kind == MessageKind.Refusal
            && MessageCodec.TryReadText(ref reader, out text)
            && text is not null
            && reader.Remaining == 0;
        why = read ? text! : "";
        error = read ? "" : MessageCodec.Damaged(frame, MessageKind.Refusal, reader.Position);
        return read;
    }

    private static void Write(ByteWriter writer, ReplicaDescription replica)
    {
        writer.WriteString(replica.Replica.Name);
        writer.WriteByte(replica.Log is null ? (byte)0 : (byte)1);
        if (replica.Log is { } log)
        {
            writer.WriteUInt128(log.Value);
        }

        writer.WriteByte((byte)replica.State);
        writer.WriteVarUInt((uint)replica.Peers.Length);
        foreach (var peer in replica.Peers)
        {
            writer.WriteUInt128(peer.Value);
        }

        writer.WriteVarUInt((uint)replica.Groups.Length);
        foreach (var ballot in replica.Groups)
        {
            writer.WriteBallot(ballot);
        }

        writer.WriteInt64(replica.LogBytes);
        writer.WriteInt64(replica.Ceiling);
        MessageCodec.WriteText(writer, replica.Problem);
    }

    private static bool TryReadDescription(ref ByteReader reader, out StoreDescription? description)
    {
        description = null;
        if (!reader.TryReadByte(out var present) || present is NoStore or > StoreOfLeaver)
        {
            return present == NoStore && reader.Position == 1;
        }

        if (!reader.TryReadString(MaxShapeLength, out var shape)
            || !reader.TryReadVarUInt(out var count)
            || count > ReplicaSet.MaxReplicas)
        {
            return false;
        }

        var replicas = ImmutableArray.CreateBuilder<ReplicaDescription>((int)count);
        while (replicas.Count < count)
        {
            if (!TryReadReplica(ref reader, out var replica))
            {
                return false;
            }

            replicas.Add(replica);
        }

        description = new(shape, replicas.MoveToImmutable()) { IsDone = present == StoreOfLeaver };
        return reader.Remaining == 0 || TryReadEpochs(ref reader, ref description);
    }

    private static bool TryReadEpochs(ref ByteReader reader, ref StoreDescription description)
    {
        var replicas = ImmutableArray.CreateBuilder<ReplicaDescription>(description.Replicas.Length);
        foreach (var replica in description.Replicas)
        {
            if (!reader.TryReadInt64(out var epoch) || epoch < 0 || !reader.TryReadByte(out var isGuest) || isGuest > 1)
            {
                return false;
            }

            replicas.Add(replica with { Epoch = epoch, IsGuest = isGuest == 1 });
        }

        description = description with { Replicas = replicas.MoveToImmutable() };
        return description.Floats;
    }

    private static bool TryReadReplica(ref ByteReader reader, [NotNullWhen(true)] out ReplicaDescription? replica)
    {
        replica = null;
        if (reader.TryReadString(ReplicaId.MaxLength, out var name)
            && ReplicaId.IsValid(name)
            && TryReadLog(ref reader, out var log)
            && reader.TryReadByte(out var state)
            && Enum.IsDefined((ReplicaState)state)
            && TryReadPeers(ref reader, out var peers)
            && TryReadBallots(ref reader, out var groups)
            && reader.TryReadInt64(out var logBytes)
            && logBytes >= 0
            && reader.TryReadInt64(out var ceiling)
            && ceiling >= 0
            && MessageCodec.TryReadText(ref reader, out var problem))
        {
            replica = new(new(name), log, (ReplicaState)state, peers, groups, logBytes, problem) { Ceiling = ceiling };
        }

        return replica is not null;
    }

    private static bool TryReadLog(ref ByteReader reader, out LogId? log)
    {
        log = null;
        if (!reader.TryReadByte(out var present) || present > 1)
        {
            return false;
        }

        UInt128 value = default;
        var read = present == 0 || reader.TryReadUInt128(out value);
        log = present == 0 ? null : new(value);
        return read;
    }

    private static bool TryReadPeers(ref ByteReader reader, out ImmutableArray<LogId> peers)
    {
        peers = [];
        if (!reader.TryReadVarUInt(out var count) || count > ReplicaSet.MaxReplicas)
        {
            return false;
        }

        var builder = ImmutableArray.CreateBuilder<LogId>((int)count);
        while (builder.Count < count && reader.TryReadUInt128(out var peer))
        {
            builder.Add(new(peer));
        }

        peers = builder.ToImmutable();
        return peers.Length == count;
    }

    private static bool TryReadBallots(ref ByteReader reader, out ImmutableArray<Ballot> ballots)
    {
        ballots = [];
        if (!reader.TryReadVarUInt(out var count) || count > reader.Remaining / ProtocolFields.BallotLength)
        {
            return false;
        }

        var builder = ImmutableArray.CreateBuilder<Ballot>((int)count);
        while (builder.Count < count && reader.TryReadBallot(out var ballot))
        {
            builder.Add(ballot);
        }

        ballots = builder.ToImmutable();
        return ballots.Length == count;
    }
}
