using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Orleans.Consensus.Codec;
using Orleans.Consensus.Paxos;

namespace Orleans.Consensus.Transport;

/// <summary>
/// Requests and replies as bytes. The layout belongs to <see cref="Frame.Version"/>; golden tests hold it. Decoding
/// believes nothing: it never throws, allocates no more than the bytes that are there can fill, and takes only what
/// encoding could have written. Decoded payloads are slices of the received bytes: what is kept for long is copied.
/// </summary>
internal static class MessageCodec
{
    /// <summary>Longest name of a store, in UTF-8 bytes.</summary>
    public const int MaxStoreLength = 1024;

    /// <summary>Longest text that explains something, in characters; more is cut off.</summary>
    public const int MaxTextLength = 2048;

    /// <exception cref="InvalidOperationException">It is too long, or has a payload that is not in memory.</exception>
    public static FrameBytes Encode(RequestBatch batch, ulong nonce, ClusterSecret? secret)
    {
        long length = 256 + (3L * batch.Store.Length);
        foreach (var (register, request) in batch.Requests)
        {
            length += register.Key.Length + RoundCodec.CopiedLength(request);
        }

        var writer = Frame.Begin(MessageKind.Request, nonce, secret, length);
        WriteStore(writer, batch.Store);
        writer.WriteString(batch.Replica.Name);
        writer.WriteUInt128(batch.Log.Value);
        writer.WriteInt64(batch.Generation);
        writer.WriteUInt64(batch.Id.Link);
        writer.WriteUInt64(batch.Id.Number);
        writer.WriteVarUInt((uint)batch.Requests.Length);
        foreach (var (register, request) in batch.Requests)
        {
            writer.WriteBlob(register.Key.Span);
            RoundCodec.Write(writer, request);
        }

        return Frame.End(writer, secret);
    }

    /// <exception cref="InvalidOperationException">It is too long, or has a payload that is not in memory.</exception>
    public static FrameBytes Encode(BatchReply reply, ulong nonce, ClusterSecret? secret)
    {
        long length = 16 + (3L * Math.Min(MaxTextLength, reply.Refusal?.Length ?? 0));
        foreach (var one in reply.Replies)
        {
            length += RoundCodec.CopiedLength(one);
        }

        var writer = Frame.Begin(MessageKind.Reply, nonce, secret, length);
        WriteText(writer, reply.Refusal);
        writer.WriteVarUInt((uint)reply.Replies.Length);
        foreach (var one in reply.Replies)
        {
            RoundCodec.Write(writer, one);
        }

        return Frame.End(writer, secret);
    }

    /// <summary>
    /// Puts <see cref="NoAnswer"/> in the place of those replies that make the whole too long: asked for again, with
    /// fewer others beside them, they fit.
    /// </summary>
    public static BatchReply Fit(BatchReply reply)
    {
        var left = (long)Frame.MaxBodyLength - (64 * 1024);
        ImmutableArray<Reply>.Builder? fitted = null;
        for (var i = 0; i < reply.Replies.Length; i++)
        {
            var one = reply.Replies[i];
            var length = RoundCodec.Length(one);
            if (length > left)
            {
                fitted ??= reply.Replies.ToBuilder();
                fitted[i] = new NoAnswer(one.Phase, one.Ballot, "the answer is too long together with the others");
                length = RoundCodec.Length(fitted[i]);
            }

            left -= length;
        }

        return fitted is null ? reply : reply with { Replies = fitted.MoveToImmutable() };
    }

    /// <param name="error">What is wrong, in words, if it is.</param>
    public static bool TryDecode(in Frame frame, [NotNullWhen(true)] out RequestBatch? batch, out string error)
    {
        batch = null;
        var reader = new ByteReader(frame.Body.Span);
        if (frame.Kind == MessageKind.Request
            && reader.TryReadString(MaxStoreLength, out var store)
            && reader.TryReadString(ReplicaId.MaxLength, out var replica)
            && ReplicaId.IsValid(replica)
            && reader.TryReadUInt128(out var log)
            && reader.TryReadInt64(out var generation)
            && reader.TryReadUInt64(out var link)
            && reader.TryReadUInt64(out var number)
            && TryReadRequests(ref reader, frame.Body, out var requests)
            && reader.Remaining == 0)
        {
            batch = new(store, new(replica), new(log), generation, requests, new(link, number));
        }

        error = batch is null ? Damaged(frame, MessageKind.Request, reader.Position) : "";
        return batch is not null;
    }

    /// <param name="error">What is wrong, in words, if it is.</param>
    public static bool TryDecode(in Frame frame, [NotNullWhen(true)] out BatchReply? reply, out string error)
    {
        reply = null;
        var reader = new ByteReader(frame.Body.Span);
        if (frame.Kind == MessageKind.Reply
            && TryReadText(ref reader, out var refusal)
            && TryReadReplies(ref reader, frame.Body, out var replies)
            && reader.Remaining == 0)
        {
            reply = new(refusal, replies);
        }

        error = reply is null ? Damaged(frame, MessageKind.Reply, reader.Position) : "";
        return reply is not null;
    }

    /// <summary>Says where a body stopped to make sense.</summary>
    internal static string Damaged(in Frame frame, MessageKind expected, int position) =>
        frame.Kind == expected
            ? $"The {expected} makes no sense near byte {position} of {frame.Body.Length}."
            : $"The message is a {frame.Kind} where a {expected} was expected.";

    /// <summary>Writes an explanation, or that there is none.</summary>
    internal static void WriteText(ByteWriter writer, string? text)
    {
        writer.WriteByte(text is null ? (byte)0 : (byte)1);
        if (text is not null)
        {
            writer.WriteString(text.Length > MaxTextLength ? text[..MaxTextLength] : text);
        }
    }

    internal static bool TryReadText(ref ByteReader reader, out string? text)
    {
        text = null;
        return reader.TryReadByte(out var present)
            && present <= 1
            && (present == 0
                || (reader.TryReadString(3 * MaxTextLength, out text) && text.Length <= MaxTextLength));
    }

    internal static void WriteStore(ByteWriter writer, string store)
    {
        if (Encoding.UTF8.GetByteCount(store) > MaxStoreLength)
        {
            throw new InvalidOperationException($"The name of a store takes at most {MaxStoreLength} bytes.");
        }

        writer.WriteString(store);
    }

    private static bool TryReadRequests(
        ref ByteReader reader, ReadOnlyMemory<byte> body, out ImmutableArray<RegisterRequest> requests)
    {
        requests = [];
        if (!reader.TryReadVarUInt(out var count) || count > reader.Remaining / RoundCodec.ShortestRequest)
        {
            return false;
        }

        var builder = ImmutableArray.CreateBuilder<RegisterRequest>((int)count);
        while (builder.Count < count)
        {
            if (!reader.TryReadBlob(out var key)
                || key.Length is 0 or > RegisterId.MaxLength
                || !RoundCodec.TryReadRequest(ref reader, body, out var request))
            {
                return false;
            }

            builder.Add(new(RegisterId.FromKey(key), request));
        }

        requests = builder.MoveToImmutable();
        return true;
    }

    private static bool TryReadReplies(
        ref ByteReader reader, ReadOnlyMemory<byte> body, out ImmutableArray<Reply> replies)
    {
        replies = [];
        if (!reader.TryReadVarUInt(out var count) || count > reader.Remaining / RoundCodec.ShortestReply)
        {
            return false;
        }

        var builder = ImmutableArray.CreateBuilder<Reply>((int)count);
        while (builder.Count < count)
        {
            if (!RoundCodec.TryReadReply(ref reader, body, out var reply))
            {
                return false;
            }

            builder.Add(reply);
        }

        replies = builder.MoveToImmutable();
        return true;
    }
}
