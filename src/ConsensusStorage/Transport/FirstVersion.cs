using Orleans.Consensus.Codec;
using Orleans.Runtime;
using Orleans.Serialization;

namespace Orleans.Consensus.Transport;

/// <summary>
/// Silos that speak version 1 of the messages. They can't work with this version, and each side is told so by name:
/// they by a refusal in bytes that they can read, this one by the error with which Orleans answers calls of methods
/// that a silo doesn't have.
/// </summary>
internal static class FirstVersion
{
    /// <summary>The first byte of its frames.</summary>
    public const byte Version = 1;

    private const string Advice =
        "The two can't work together, and neither stores anything that the other sends. Stop all silos, then start "
        + "them all with the same release.";

    /// <summary>The answer to whatever such a silo asks.</summary>
    /// <param name="local">The silo that answers.</param>
    public static ReadOnlyMemory<byte> Refusal(SiloAddress local)
    {
        var writer = new ByteWriter(512);
        writer.WriteByte(Version);
        writer.WriteByte((byte)MessageKind.Refusal);
        writer.WriteByte(0);
        writer.WriteUInt64(0);
        MessageCodec.WriteText(
            writer,
            $"Silo {local} runs a newer release of Orleans.Consensus: it speaks version {Frame.Version} of the "
            + $"messages between silos, and the caller speaks version {Version}. {Advice}");
        return writer.WrittenMemory;
    }

    /// <summary>What the log of a silo says that was called by such a silo.</summary>
    public static string Called(string? caller) =>
        $"'{caller ?? "unknown"}' runs an older release of Orleans.Consensus: it speaks version {Version} of the "
        + $"messages between silos, and this silo speaks version {Frame.Version}. {Advice}";

    /// <summary>Whether a call failed because the other silo doesn't have the method.</summary>
    public static bool IsBehind(Exception failure) =>
        failure is TypeLoadException or SerializerException
        && failure.Message.Contains(nameof(IConsensusGrainService), StringComparison.Ordinal);

    /// <summary>Why such a silo gave no answer.</summary>
    public static string NoAnswer(SiloAddress silo) =>
        $"Silo {silo} runs an older release of Orleans.Consensus: it does not know version {Frame.Version} of the "
        + $"messages between silos, which this silo speaks. {Advice}";
}
