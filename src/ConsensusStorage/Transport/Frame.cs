using Orleans.Consensus.Codec;

namespace Orleans.Consensus.Transport;

/// <summary>What a frame carries.</summary>
internal enum MessageKind : byte
{
    /// <summary>A <see cref="RequestBatch"/>.</summary>
    Request = 1,

    /// <summary>A <see cref="BatchReply"/>.</summary>
    Reply = 2,

    /// <summary>The name of a store.</summary>
    DescribeRequest = 3,

    /// <summary>A <see cref="StoreDescription"/> or none.</summary>
    DescribeReply = 4,

    /// <summary>
    /// "You get no answer", and why. Never sealed: who can forge it can as well drop the answer.
    /// </summary>
    Refusal = 5,
}

/// <summary>
/// The outside of every message: version, kind, seal and nonce, then the body, then the HMAC if there is a
/// <see cref="ClusterSecret"/>. The HMAC covers all before it: the kind tells a reply from a request, and the nonce,
/// chosen by the asker and echoed, ties a reply to its request.
/// </summary>
/// <param name="Kind">What the body is.</param>
/// <param name="Nonce">Of the request; 0 in a refusal.</param>
/// <param name="Body">A slice of the received bytes.</param>
internal readonly record struct Frame(MessageKind Kind, ulong Nonce, ReadOnlyMemory<byte> Body)
{
    /// <summary>The only version that this release writes and reads.</summary>
    public const byte Version = 2;

    /// <summary>Longest body in bytes; Orleans itself would carry 100 MiB.</summary>
    public const int MaxBodyLength = 64 * 1024 * 1024;

    /// <summary>Version, kind, seal, nonce.</summary>
    public const int HeaderLength = 11;

    private const byte NotSealed = 0;
    private const byte Sealed = 1;

    /// <summary>Starts a frame; the body is written behind it.</summary>
    /// <param name="fieldsLength">
    /// An upper bound of the body without payloads, so that nothing is copied while it is written.
    /// </param>
    /// <exception cref="InvalidOperationException">The body would be too long.</exception>
    public static FrameWriter Begin(MessageKind kind, ulong nonce, ClusterSecret? secret, long fieldsLength)
    {
        EnsureFits(fieldsLength);
        var writer = new FrameWriter((int)fieldsLength + HeaderLength + ClusterSecret.SealLength);
        writer.WriteByte(Version);
        writer.WriteByte((byte)kind);
        writer.WriteByte(secret is null ? NotSealed : Sealed);
        writer.WriteUInt64(nonce);
        return writer;
    }

    /// <summary>Ends a frame. The writer must not be used any more: its bytes are on their way.</summary>
    /// <exception cref="InvalidOperationException">The body is too long.</exception>
    public static FrameBytes End(FrameWriter writer, ClusterSecret? secret)
    {
        EnsureFits(writer.FrameLength - HeaderLength);
        var frame = writer.ToFrame();
        if (secret is null)
        {
            return frame;
        }

        Span<byte> seal = stackalloc byte[ClusterSecret.SealLength];
        secret.Seal(frame.Pieces, seal);
        writer.WriteBytes(seal);
        return writer.ToFrame();
    }

    /// <summary>Checks everything but the body.</summary>
    /// <param name="error">What is wrong, in words, if it is.</param>
    public static bool TryOpen(ReadOnlyMemory<byte> bytes, ClusterSecret? secret, out Frame frame, out string error)
    {
        frame = default;
        error = "";
        var reader = new ByteReader(bytes.Span);
        if (!reader.TryReadByte(out var version))
        {
            error = "The message is empty.";
            return false;
        }

        if (version != Version)
        {
            error = OtherVersion(version);
            return false;
        }

        if (!reader.TryReadByte(out var kind)
            || !reader.TryReadByte(out var seal)
            || !reader.TryReadUInt64(out var nonce))
        {
            error = $"The message ends inside its header, after {bytes.Length} bytes.";
            return false;
        }

        if (!Enum.IsDefined((MessageKind)kind)
            || seal > Sealed
            || (kind == (byte)MessageKind.Refusal && seal == Sealed))
        {
            error = $"The message is of the unknown kind {kind} or sealed in the unknown way {seal}.";
            return false;
        }

        error = kind == (byte)MessageKind.Refusal ? "" : SealProblem(bytes.Span, seal == Sealed, secret);
        var length = bytes.Length - HeaderLength - (seal == Sealed ? ClusterSecret.SealLength : 0);
        if (error.Length == 0 && length > MaxBodyLength)
        {
            error = $"The message has {length} bytes; at most {MaxBodyLength} are taken.";
        }

        frame = error.Length == 0 ? new((MessageKind)kind, nonce, bytes.Slice(HeaderLength, length)) : default;
        return error.Length == 0;
    }

    private static string OtherVersion(byte version) => version switch
    {
        0 => $"The message has format version {version}, which does not exist.",
        < Version => $"The message has format version {version}; this silo speaks version {Version}. Update the silo "
            + "that sent it: all silos of a cluster have to run releases that speak the same version.",
        _ => $"The message has format version {version}; this silo speaks version {Version}. Update this silo: all "
            + "silos of a cluster have to run releases that speak the same version.",
    };

    private static string SealProblem(ReadOnlySpan<byte> bytes, bool isSealed, ClusterSecret? secret)
    {
        if (isSealed != secret is not null)
        {
            return isSealed
                ? "The message is sealed with a ClusterSecret, but this silo has none: give all silos the same."
                : "The message is not sealed, but this silo has a ClusterSecret: give all silos the same.";
        }

        if (secret is null)
        {
            return "";
        }

        var sealAt = bytes.Length - ClusterSecret.SealLength;
        return sealAt >= HeaderLength && secret.IsSealOf(bytes[..sealAt], bytes[sealAt..])
            ? ""
            : "The seal of the message is wrong: the sender has another ClusterSecret, or the message was changed.";
    }

    private static void EnsureFits(long bodyLength)
    {
        if (bodyLength > MaxBodyLength)
        {
            throw new InvalidOperationException(
                $"A message of {bodyLength} bytes is not sent; the limit is {MaxBodyLength}.");
        }
    }
}
