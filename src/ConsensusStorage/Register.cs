using System.Globalization;
using System.IO.Hashing;
using System.Security.Cryptography;
using System.Text;
using Orleans.Consensus.Codec;

namespace Orleans.Consensus;

/// <summary>
/// The name of one register: ServiceId, provider, state name, grain type and grain key, each behind its length.
/// The bytes and the hash that places a register in a group are frozen by golden tests: logs hold them. Clients choose
/// keys, and can work out which ones that hash throws together, so tables use another one, with a secret seed.
/// </summary>
internal readonly struct RegisterId : IEquatable<RegisterId>
{
    /// <summary>Longest encoded name in bytes; it is held in memory by every replica.</summary>
    public const int MaxLength = 8 * 1024;

    /// <summary>Refuses text that is not Unicode instead of replacing it: two such names would become one.</summary>
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Drawn by each process for itself, so that no log and no client can know it.</summary>
    private static readonly long TableSeed = BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long)));

    private readonly byte[]? _key;

    private RegisterId(byte[] key)
    {
        _key = key;
        Hash = XxHash3.HashToUInt64(key);
    }

    public ReadOnlyMemory<byte> Key => _key;

    /// <summary>Frozen: places the register in its group, and nothing else.</summary>
    public ulong Hash { get; }

    /// <summary>Takes over encoded bytes (from a message or a record).</summary>
    public static RegisterId FromKey(ReadOnlySpan<byte> key) => new(key.ToArray());

    /// <summary>Encodes the parts of a name, each as LEB128 length and bytes.</summary>
    /// <exception cref="ArgumentException">
    /// The name is longer than <see cref="MaxLength"/>, or a part of it is not valid Unicode.
    /// </exception>
    public static RegisterId Create(
        string serviceId, string provider, string stateName, ReadOnlySpan<byte> grainType, ReadOnlySpan<byte> grainKey)
    {
        var writer = new ByteWriter(128);
        writer.WriteBlob(Utf8.GetBytes(serviceId));
        writer.WriteBlob(Utf8.GetBytes(provider));
        writer.WriteBlob(Utf8.GetBytes(stateName));
        writer.WriteBlob(grainType);
        writer.WriteBlob(grainKey);
        if (writer.Length > MaxLength)
        {
            throw new ArgumentException(
                $"The names of service, provider, state and grain take {writer.Length} bytes together; "
                + $"the limit is {MaxLength}.");
        }

        return new(writer.WrittenSpan.ToArray());
    }

    /// <summary>The replica group this register belongs to, out of <paramref name="groups"/>.</summary>
    public int GroupOf(int groups) => (int)(Hash % (uint)groups);

    public bool Equals(RegisterId other) => Hash == other.Hash && Key.Span.SequenceEqual(other.Key.Span);

    public override bool Equals(object? obj) => obj is RegisterId other && Equals(other);

    /// <summary>Differs from process to process: nothing that is stored, sent or ordered may depend on it.</summary>
    public override int GetHashCode() => (int)HashWith(TableSeed);

    /// <summary>A hash whose collisions only a process that knows <paramref name="seed"/> can choose.</summary>
    public ulong HashWith(long seed) => XxHash3.HashToUInt64(_key, seed);

    public override string ToString()
    {
        var reader = new ByteReader(Key.Span);
        var text = new StringBuilder();
        while (reader.Remaining > 0 && reader.TryReadBlob(out var part))
        {
            text.Append(text.Length == 0 ? "" : "/").Append(Encoding.UTF8.GetString(part));
        }

        return text.ToString();
    }
}

/// <summary>
/// Names one change for ever: minted once by the engine that proposes it and carried unchanged when somebody else
/// proposes the value again. It is the ETag (S8); the accepted ballot is not, because repair raises that.
/// </summary>
internal readonly record struct RegisterVersion(ProposerId Writer, ulong Sequence)
{
    private const int WriterDigits = 32;

    /// <summary>
    /// The ETag text: 32 hex digits, a dash, up to 16 hex digits; lower case, no leading zeros behind the dash.
    /// </summary>
    public override string ToString() => $"{Writer}-{Sequence.ToString("x", CultureInfo.InvariantCulture)}";

    /// <summary>Reads an ETag; anything that <see cref="ToString"/> would not have written is not ours.</summary>
    public static bool TryParse(string? etag, out RegisterVersion version)
    {
        version = default;
        if (etag is null || etag.Length is < WriterDigits + 2 or > WriterDigits + 17 || etag[WriterDigits] != '-')
        {
            return false;
        }

        const NumberStyles hex = NumberStyles.AllowHexSpecifier;
        if (!UInt128.TryParse(etag.AsSpan(0, WriterDigits), hex, CultureInfo.InvariantCulture, out var writer)
            || !ulong.TryParse(etag.AsSpan(WriterDigits + 1), hex, CultureInfo.InvariantCulture, out var sequence))
        {
            return false;
        }

        version = new(new(writer), sequence);
        return version.ToString() == etag;
    }
}

/// <summary>
/// The state bytes of a register as an opaque handle: the protocol passes it on and never looks inside.
/// </summary>
internal abstract class Payload
{
    /// <summary>Stands in an answer for a payload that was not asked for.</summary>
    public static readonly Payload Omitted = new OmittedPayload();

    private sealed class OmittedPayload : Payload;
}

/// <summary>A payload in memory. Immutable: nobody writes to these bytes after construction (S24).</summary>
internal sealed class PayloadBytes(ReadOnlyMemory<byte> bytes) : Payload
{
    public ReadOnlyMemory<byte> Bytes { get; } = bytes;
}

/// <summary>What a register holds: the version of the change that made it, and its payload or, cleared, none.</summary>
internal sealed record RegisterValue(RegisterVersion Version, Payload? Payload)
{
    public bool IsTombstone => Payload is null;
}
