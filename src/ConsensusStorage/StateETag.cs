using System.Buffers.Text;
using System.Collections.Immutable;
using Orleans.Consensus.Codec;

namespace Orleans.Consensus;

/// <summary>
/// What the ETag of a state object says: the version that the next change expects and, after an unknown outcome, which
/// changes are in doubt (S7). A grain that migrates takes its ETag along, and nothing else of its storage; so what is
/// in doubt has to be in the ETag.
/// <para>Without a doubt the text is the version's. With one it is <c>in-doubt-</c> and Base64Url of: the layout (1),
/// the register's hash, the expected version, the absence it is bound to, the versions in doubt.</para>
/// </summary>
/// <param name="Expected">Null: no state.</param>
internal readonly record struct StateETag(RegisterVersion? Expected, InDoubt InDoubt)
{
    private const string Prefix = "in-doubt-";
    private const byte Layout = 1;

    /// <summary>A new or cleared state.</summary>
    public static readonly StateETag None = new(null, InDoubt.None);

    /// <summary>
    /// The ETag's text, for states in <paramref name="register"/>; null for <see cref="None"/>.
    /// </summary>
    public string? ToText(RegisterId register)
    {
        if (InDoubt.IsNone)
        {
            return Expected?.ToString();
        }

        var writer = new ByteWriter(128);
        writer.WriteByte(Layout);
        writer.WriteUInt64(register.Hash);
        WriteOptional(writer, Expected);
        writer.WriteByte(InDoubt.Binding is null ? (byte)0 : (byte)1);
        if (InDoubt.Binding is { } binding)
        {
            WriteOptional(writer, binding.Tombstone);
            writer.WriteInt64(binding.Horizon.Round);
            writer.WriteUInt128(binding.Horizon.By.Value);
        }

        // Retries by one silo differ in their sequence only.
        var last = default(ProposerId);
        foreach (var version in InDoubt.Versions)
        {
            var isSame = version.Writer == last;
            writer.WriteByte(isSame ? (byte)0 : (byte)1);
            if (!isSame)
            {
                writer.WriteUInt128(version.Writer.Value);
                last = version.Writer;
            }

            writer.WriteUInt64(version.Sequence);
        }

        return Prefix + Base64Url.EncodeToString(writer.WrittenSpan);
    }

    /// <summary>
    /// Reads an ETag; false if this provider can't have written it. What was in doubt in another register than
    /// <paramref name="register"/> says nothing about this one.
    /// </summary>
    public static bool TryParse(string? text, RegisterId register, out StateETag etag)
    {
        etag = None;
        if (text is null)
        {
            return true;
        }

        if (RegisterVersion.TryParse(text, out var version))
        {
            etag = new(version, InDoubt.None);
            return true;
        }

        if (!text.StartsWith(Prefix, StringComparison.Ordinal)
            || !Base64Url.IsValid(text.AsSpan(Prefix.Length))
            || !TryRead(Base64Url.DecodeFromChars(text.AsSpan(Prefix.Length)), out etag, out var hash))
        {
            return false;
        }

        etag = hash == register.Hash ? etag : etag with { InDoubt = InDoubt.None };
        return true;
    }

    private static bool TryRead(ReadOnlySpan<byte> bytes, out StateETag etag, out ulong hash)
    {
        etag = None;
        hash = 0;
        var reader = new ByteReader(bytes);
        Absence? binding = null;
        if (!reader.TryReadByte(out var layout) || layout != Layout
            || !reader.TryReadUInt64(out hash)
            || !TryReadOptional(ref reader, out var expected)
            || !TryReadFlag(ref reader, out var isBound)
            || (isBound && !TryReadAbsence(ref reader, out binding)))
        {
            return false;
        }

        var versions = ImmutableArray.CreateBuilder<RegisterVersion>();
        var writer = default(ProposerId);
        while (reader.Remaining > 0)
        {
            if (!TryReadFlag(ref reader, out var isOther)
                || (isOther && !TryReadWriter(ref reader, ref writer))
                || !reader.TryReadUInt64(out var sequence))
            {
                return false;
            }

            versions.Add(new(writer, sequence));
        }

        etag = new(expected, new(versions.ToImmutable(), binding));
        return versions.Count > 0;
    }

    private static void WriteOptional(ByteWriter writer, RegisterVersion? version)
    {
        writer.WriteByte(version is null ? (byte)0 : (byte)1);
        if (version is { } some)
        {
            writer.WriteVersion(some);
        }
    }

    private static bool TryReadOptional(ref ByteReader reader, out RegisterVersion? version)
    {
        version = null;
        if (!TryReadFlag(ref reader, out var isThere))
        {
            return false;
        }

        if (isThere && reader.TryReadVersion(out var some))
        {
            version = some;
        }

        return isThere == version is not null;
    }

    private static bool TryReadAbsence(ref ByteReader reader, out Absence? absence)
    {
        absence = null;
        if (!TryReadOptional(ref reader, out var tombstone)
            || !reader.TryReadInt64(out var round)
            || !reader.TryReadUInt128(out var by))
        {
            return false;
        }

        absence = new(tombstone, new(round, new(by)));
        return true;
    }

    private static bool TryReadWriter(ref ByteReader reader, ref ProposerId writer)
    {
        var read = reader.TryReadUInt128(out var value);
        writer = new(value);
        return read;
    }

    private static bool TryReadFlag(ref ByteReader reader, out bool flag)
    {
        var read = reader.TryReadByte(out var value) && value <= 1;
        flag = value == 1;
        return read;
    }
}
