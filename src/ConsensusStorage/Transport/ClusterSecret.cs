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

    public ClusterSecret(string text)
    {
        ArgumentException.ThrowIfNullOrEmpty(text);
        _key = Encoding.UTF8.GetBytes(text);
    }

    /// <summary>The secret of <paramref name="text"/>, or none if there is none.</summary>
    public static ClusterSecret? From(string? text) => string.IsNullOrEmpty(text) ? null : new(text);

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

    /// <summary>Whether <paramref name="seal"/> is of <paramref name="message"/>, compared in constant time.</summary>
    public bool IsSealOf(ReadOnlySpan<byte> message, ReadOnlySpan<byte> seal)
    {
        Span<byte> expected = stackalloc byte[SealLength];
        Seal(message, expected);
        return CryptographicOperations.FixedTimeEquals(expected, seal);
    }
}
