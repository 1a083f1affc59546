using System.Security.Cryptography;
using System.Text;

namespace Orleans.Consensus.Transport;

/// <summary>
/// A secret that all silos share: with it, only who knows it can speak to a replica. Without it, the transport believes
/// what Orleans says of the caller, which a client built from modified Orleans code could forge. Thread-safe.
/// <para>Does not: encrypt, or tell an old message from a new one; the protocol bears repeated messages.</para>
/// </summary>
internal sealed class ClusterSecret
{
    /// <summary>Bytes of a seal: HMAC-SHA256.</summary>
    public const int SealLength = HMACSHA256.HashSizeInBytes;

    private readonly byte[] _key;
    private readonly byte[]? _alternate;

    /// <param name="text">What messages are sealed with.</param>
    /// <param name="alternate">What they may be sealed with, too, or null.</param>
    public ClusterSecret(string text, string? alternate = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(text);
        _key = Encoding.UTF8.GetBytes(text);
        _alternate = string.IsNullOrEmpty(alternate) ? null : Encoding.UTF8.GetBytes(alternate);
    }

    /// <summary>The secret that is configured, or none if there is none.</summary>
    public static ClusterSecret? From(TransportOptions options) =>
        string.IsNullOrEmpty(options.ClusterSecret)
            ? null
            : new(options.ClusterSecret, options.AlternateClusterSecret);

    /// <summary>Writes the seal of <paramref name="message"/>.</summary>
    public void Seal(ReadOnlySpan<byte> message, Span<byte> seal) => HMACSHA256.HashData(_key, message, seal);

    /// <summary>Writes the seal of a message in pieces.</summary>
    public void Seal(ReadOnlySpan<ReadOnlyMemory<byte>> pieces, Span<byte> seal)
    {
        if (pieces is [var whole])
        {
            Seal(whole.Span, seal);
            return;
        }

        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _key);
        foreach (var piece in pieces)
        {
            hash.AppendData(piece.Span);
        }

        hash.GetHashAndReset(seal);
    }

    /// <summary>
    /// Whether <paramref name="seal"/> is of <paramref name="message"/> by either secret, compared in constant time.
    /// </summary>
    public bool IsSealOf(ReadOnlySpan<byte> message, ReadOnlySpan<byte> seal) =>
        IsSealOf(_key, message, seal) || (_alternate is not null && IsSealOf(_alternate, message, seal));

    private static bool IsSealOf(byte[] key, ReadOnlySpan<byte> message, ReadOnlySpan<byte> seal)
    {
        Span<byte> expected = stackalloc byte[SealLength];
        HMACSHA256.HashData(key, message, expected);
        return CryptographicOperations.FixedTimeEquals(expected, seal);
    }
}
