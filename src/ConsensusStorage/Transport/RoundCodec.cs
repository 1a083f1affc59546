using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Orleans.Consensus.Codec;
using Orleans.Consensus.Paxos;

namespace Orleans.Consensus.Transport;

/// <summary>The messages of a round as parts of a batch; by the rules of <see cref="MessageCodec"/>.</summary>
internal static class RoundCodec
{
    /// <summary>Upper bound of all of a request or reply but key, payload and text.</summary>
    private const int FixedPart = 96;

    /// <summary>Bytes of the shortest request, with its register.</summary>
    public const int ShortestRequest = 2 + 1 + ProtocolFields.BallotLength + 1;

    /// <summary>Bytes of the shortest reply.</summary>
    public const int ShortestReply = 1 + ProtocolFields.BallotLength;

    private const byte PrepareTag = 1;
    private const byte AcceptTag = 2;

    private const byte PromiseTag = 1;
    private const byte AcceptedTag = 2;
    private const byte ConflictTag = 3;
    private const byte TooFarAheadTag = 4;
    private const byte NoAnswerTag = 5;

    /// <summary>A promise without a value, and with a horizon; without one it is a <see cref="PromiseTag"/>.</summary>
    private const byte AbsenceTag = 6;

    /// <summary>A <see cref="NoAnswerTag"/> whose cause lasts.</summary>
    private const byte LastingTag = 7;

    private const byte NoPayload = 0;
    private const byte BytesPayload = 1;
    private const byte OmittedPayload = 2;

    public static void Write(FrameWriter writer, Request request)
    {
        switch (request)
        {
            case Prepare prepare:
                writer.WriteByte(PrepareTag);
                writer.WriteBallot(prepare.Ballot);
                writer.WriteByte(prepare.WantPayload ? (byte)1 : (byte)0);
                break;
            case Accept { Value.Payload: var payload } when payload == Payload.Omitted:
                throw new InvalidOperationException("An Accept carries its payload.");
            case Accept accept:
                writer.WriteByte(AcceptTag);
                writer.WriteBallot(accept.Ballot);
                writer.WriteBallot(accept.Next);
                Write(writer, accept.Value);
                break;
            default:
                throw new UnreachableException();
        }
    }

    public static void Write(FrameWriter writer, Reply reply)
    {
        switch (reply)
        {
            case Promise promise:
                Write(writer, promise);
                break;
            case Accepted:
                writer.WriteByte(AcceptedTag);
                writer.WriteBallot(reply.Ballot);
                break;
            case Conflict conflict:
                WriteHead(writer, ConflictTag, reply);
                writer.WriteBallot(conflict.ToBeat);
                break;
            case TooFarAhead ahead:
                WriteHead(writer, TooFarAheadTag, reply);
                writer.WriteInt64(ahead.Ceiling);
                break;
            case NoAnswer none:
                WriteHead(writer, none.Lasts ? LastingTag : NoAnswerTag, reply);
                MessageCodec.WriteText(writer, none.Why);
                break;
            default:
                throw new UnreachableException();
        }
    }

    private static void Write(FrameWriter writer, Promise promise)
    {
        if (promise.Accepted.IsNone != promise.Value is null)
        {
            throw new InvalidOperationException("A promise has a value exactly if it has an accepted ballot.");
        }

        if (promise is { Value: null, Horizon.IsNone: false })
        {
            writer.WriteByte(AbsenceTag);
            writer.WriteBallot(promise.Ballot);
            writer.WriteBallot(promise.Horizon);
            return;
        }

        writer.WriteByte(PromiseTag);
        writer.WriteBallot(promise.Ballot);
        writer.WriteBallot(promise.Accepted);
        if (promise.Value is not null)
        {
            Write(writer, promise.Value);
        }
    }

    private static void WriteHead(ByteWriter writer, byte tag, Reply reply)
    {
        writer.WriteByte(tag);
        writer.WriteByte((byte)reply.Phase);
        writer.WriteBallot(reply.Ballot);
    }

    private static void Write(FrameWriter writer, RegisterValue value)
    {
        writer.WriteVersion(value.Version);
        switch (value.Payload)
        {
            case null:
                writer.WriteByte(NoPayload);
                break;
            case PayloadBytes payload:
                writer.WriteByte(BytesPayload);
                writer.WritePayload(payload.Bytes);
                break;
            case var other when other == Payload.Omitted:
                writer.WriteByte(OmittedPayload);
                break;
            default:
                throw new InvalidOperationException(
                    $"A payload of type {value.Payload.GetType().Name} has to be loaded before it is sent.");
        }
    }

    private static int Length(RegisterValue? value) =>
        value?.Payload is PayloadBytes payload ? payload.Bytes.Length : 0;

    /// <summary>
    /// An upper bound of the bytes of a request that are copied into the frame, without its register's key.
    /// </summary>
    public static long CopiedLength(Request request) =>
        FixedPart + (request is Accept accept ? FrameWriter.CopiedOf(Length(accept.Value)) : 0L);

    /// <summary>The same of a reply.</summary>
    public static long CopiedLength(Reply reply) =>
        reply is Promise promise ? FixedPart + FrameWriter.CopiedOf(Length(promise.Value)) : Length(reply);

    /// <summary>An upper bound of the bytes of a reply.</summary>
    public static long Length(Reply reply) => reply switch
    {
        Promise promise => FixedPart + (long)Length(promise.Value),
        NoAnswer none => FixedPart + (3L * Math.Min(MessageCodec.MaxTextLength, none.Why.Length)),
        _ => FixedPart,
    };

    public static bool TryReadRequest(
        ref ByteReader reader, ReadOnlyMemory<byte> body, [NotNullWhen(true)] out Request? request)
    {
        request = null;
        if (!reader.TryReadByte(out var tag) || !reader.TryReadBallot(out var ballot))
        {
            return false;
        }

        if (tag == PrepareTag && reader.TryReadByte(out var want) && want <= 1)
        {
            request = new Prepare(ballot, want == 1);
        }
        else if (tag == AcceptTag
            && reader.TryReadBallot(out var next)
            && TryReadValue(ref reader, body, out var value)
            && value.Payload != Payload.Omitted)
        {
            request = new Accept(ballot, value, next);
        }

        return request is not null;
    }

    public static bool TryReadReply(
        ref ByteReader reader, ReadOnlyMemory<byte> body, [NotNullWhen(true)] out Reply? reply)
    {
        reply = null;
        var phase = (byte)0;
        if (!reader.TryReadByte(out var tag)
            || (tag is (>= ConflictTag and <= NoAnswerTag) or LastingTag
                && !(reader.TryReadByte(out phase) && Enum.IsDefined((Phase)phase)))
            || !reader.TryReadBallot(out var ballot))
        {
            return false;
        }

        reply = tag switch
        {
            PromiseTag => ReadPromise(ref reader, ballot, body),
            AcceptedTag => new Accepted(ballot),
            ConflictTag when reader.TryReadBallot(out var toBeat) => new Conflict((Phase)phase, ballot, toBeat),
            TooFarAheadTag when reader.TryReadInt64(out var ceiling) =>
                new TooFarAhead((Phase)phase, ballot, ceiling),
            NoAnswerTag or LastingTag when MessageCodec.TryReadText(ref reader, out var why) && why is not null =>
                new NoAnswer((Phase)phase, ballot, why) { Lasts = tag == LastingTag },
            AbsenceTag when reader.TryReadBallot(out var horizon) && !horizon.IsNone =>
                new Promise(ballot, Ballot.None, null) { Horizon = horizon },
            _ => null,
        };
        return reply is not null;
    }

    private static Promise? ReadPromise(ref ByteReader reader, Ballot ballot, ReadOnlyMemory<byte> body)
    {
        if (!reader.TryReadBallot(out var accepted))
        {
            return null;
        }

        if (accepted.IsNone)
        {
            return new(ballot, accepted, Value: null);
        }

        return TryReadValue(ref reader, body, out var value) ? new(ballot, accepted, value) : null;
    }

    private static bool TryReadValue(
        ref ByteReader reader, ReadOnlyMemory<byte> body, [NotNullWhen(true)] out RegisterValue? value)
    {
        value = null;
        if (!reader.TryReadVersion(out var version) || !reader.TryReadByte(out var kind))
        {
            return false;
        }

        value = kind switch
        {
            NoPayload => new(version, Payload: null),
            OmittedPayload => new(version, Payload.Omitted),
            BytesPayload when reader.TryReadBlob(out var bytes) =>
                new(version, new PayloadBytes(body.Slice(reader.Position - bytes.Length, bytes.Length))),
            _ => null,
        };
        return value is not null;
    }
}
