using System.Buffers.Binary;
using System.IO.Hashing;
using Orleans.Consensus.Codec;
using Orleans.Consensus.Journaling.Files;

namespace Orleans.Consensus.Journaling;

/// <summary>
/// The claim on a log in a shared directory: a file that each taker replaces by one with a random id of its own, before
/// it reads the log. Whoever finds another one there than its own has lost the log (S17).
/// </summary>
internal sealed class LogClaim
{
    public const string Name = "journal.claim";
    public const string Unfinished = ".new";

    private const uint Version = 1;
    private const int HashSize = 16;

    private readonly byte[] _bytes;
    private readonly string _fresh;

    private LogClaim(byte[] bytes, string fresh)
    {
        (_bytes, _fresh) = (bytes, fresh);
    }

    private static ReadOnlySpan<byte> Magic => "CJRNLCLM"u8;

    public static LogClaim Of(UInt128 id, JournalOwner owner)
    {
        var writer = new ByteWriter(128);
        writer.WriteBytes(Magic);
        writer.WriteUInt32(Version);
        writer.WriteUInt128(id);
        writer.WriteString(owner.Cluster);
        writer.WriteString(owner.Silo);
        var bytes = new byte[writer.Length + HashSize];
        writer.WrittenSpan.CopyTo(bytes);
        BinaryPrimitives.WriteUInt128LittleEndian(
            bytes.AsSpan(writer.Length), XxHash128.HashToUInt128(writer.WrittenSpan));
        return new(bytes, $"{Name}.{id:x32}{Unfinished}");
    }

    /// <summary>The cluster of the claim that stands; null if there is none, or none that can be read.</summary>
    public static async ValueTask<string?> FindClusterAsync(
        IFileDirectory directory, CancellationToken cancellationToken) =>
        await directory.ReadAllAsync(Name, cancellationToken) is { Length: > HashSize } bytes ? ClusterIn(bytes) : null;

    /// <summary>Puts this claim in place of the one that stands; on return it is durable.</summary>
    public async ValueTask PlaceAsync(IFileDirectory directory, CancellationToken cancellationToken)
    {
        await using (var file = await directory.CreateAsync(_fresh, cancellationToken))
        {
            await file.WriteAsync(0, _bytes, cancellationToken);
            await file.FlushAsync(cancellationToken);
        }

        await directory.RenameAsync(_fresh, Name, cancellationToken);
        await directory.FlushAsync(cancellationToken);
    }

    /// <summary>Whether this claim stands. It is opened each time: an open file is the one that it was.</summary>
    public async ValueTask<bool> StandsAsync(IFileDirectory directory, CancellationToken cancellationToken) =>
        await directory.ReadAllAsync(Name, cancellationToken) is { } found && found.AsSpan().SequenceEqual(_bytes);

    private static string? ClusterIn(byte[] bytes)
    {
        var content = bytes.AsSpan(..^HashSize);
        var hash = BinaryPrimitives.ReadUInt128LittleEndian(bytes.AsSpan(content.Length));
        var reader = new ByteReader(content);
        return content.StartsWith(Magic)
            && XxHash128.HashToUInt128(content) == hash
            && reader.TryReadUInt64(out _)
            && reader.TryReadUInt32(out _)
            && reader.TryReadUInt128(out _)
            && reader.TryReadString(content.Length, out var cluster)
                ? cluster
                : null;
    }
}
