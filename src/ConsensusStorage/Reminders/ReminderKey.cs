using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Orleans.Runtime;

namespace Orleans.Consensus.Reminders;

/// <summary>
/// Where a reminder is in the tree: 32 bits of the hash that Orleans gives its grain, so that a range of hashes is a
/// part of the tree, then 96 bits of a SHA-256 of grain and name, which spreads the reminders of one grain. No client
/// can choose names that all end in one place. Fixed: it places reminders.
/// </summary>
internal readonly record struct ReminderKey(UInt128 Value)
{
    public const int Bits = 128;

    /// <summary>The bits behind the grain's hash.</summary>
    private const int NameBits = 96;

    public static ReminderKey Of(GrainId grain, string name)
    {
        // Each part but the last behind its length: two different names never have the same bytes.
        var type = grain.Type.AsSpan();
        var key = grain.Key.AsSpan();
        var bytes = new byte[sizeof(int) + type.Length + sizeof(int) + key.Length + Encoding.UTF8.GetByteCount(name)];
        var rest = Append(Append(bytes, type), key);
        Encoding.UTF8.GetBytes(name, rest);
        var ofName = BinaryPrimitives.ReadUInt128BigEndian(SHA256.HashData(bytes)) >> (Bits - NameBits);
        return new(((UInt128)grain.GetUniformHashCode() << NameBits) | ofName);
    }

    /// <summary>The hash of the grains whose reminders have keys like this one.</summary>
    public static uint GrainHashOf(UInt128 key) => (uint)(key >> NameBits);

    /// <returns>What is left of the bytes.</returns>
    private static Span<byte> Append(Span<byte> bytes, ReadOnlySpan<byte> part)
    {
        BinaryPrimitives.WriteInt32LittleEndian(bytes, part.Length);
        part.CopyTo(bytes[sizeof(int)..]);
        return bytes[(sizeof(int) + part.Length)..];
    }
}
