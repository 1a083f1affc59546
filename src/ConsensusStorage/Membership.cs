using System.Collections.Immutable;
using System.Globalization;

namespace Orleans.Consensus;

/// <summary>The stable name of one acceptor of a store: it owns a log and outlives the silos that host it.</summary>
/// <param name="Name">1–64 characters out of <c>a–z A–Z 0–9 - _ .</c>; it names a directory.</param>
internal readonly record struct ReplicaId(string Name) : IComparable<ReplicaId>
{
    public const int MaxLength = 64;

    public static bool IsValid(string? name) =>
        !string.IsNullOrEmpty(name)
        && name.Length <= MaxLength
        && name[0] != '.'
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');

    public int CompareTo(ReplicaId other) => string.CompareOrdinal(Name, other.Name);

    public override string ToString() => Name;
}

/// <summary>
/// 128 random bits that name one engine instance for as long as it lives (S2). Never stored as an identity to be
/// taken up again, never static: a process may run several silos, a restarted silo is a new proposer.
/// </summary>
internal readonly record struct ProposerId(UInt128 Value) : IComparable<ProposerId>
{
    public static ProposerId Create(Random random)
    {
        Span<byte> bytes = stackalloc byte[16];
        random.NextBytes(bytes);
        return new(System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes));
    }

    public int CompareTo(ProposerId other) => Value.CompareTo(other.Value);

    public override string ToString() => Value.ToString("x32", CultureInfo.InvariantCulture);
}

/// <summary>The random identity of one log (S13): a replica that lost its log comes back with another one.</summary>
internal readonly record struct LogId(UInt128 Value)
{
    /// <summary>Thread rule: any, if all who share <paramref name="random"/> lock it.</summary>
    public static LogId Create(Random random)
    {
        lock (random)
        {
            return new(ProposerId.Create(random).Value);
        }
    }

    public override string ToString() => Value.ToString("x32", CultureInfo.InvariantCulture);
}

/// <summary>The acceptors of a store in ordinal order of their names, whatever order they were configured in.</summary>
internal sealed class ReplicaSet
{
    /// <summary>Votes are kept in a 32-bit mask; more replicas than that would make no sense anyway.</summary>
    public const int MaxReplicas = 9;

    public ReplicaSet(IEnumerable<ReplicaId> members)
    {
        Members = [.. members.Order()];
        if (Members.Length is 0 or > MaxReplicas || Members.Distinct().Count() != Members.Length)
        {
            throw new ArgumentException($"A store has 1 to {MaxReplicas} different replicas.", nameof(members));
        }
    }

    public ImmutableArray<ReplicaId> Members { get; }

    public int Count => Members.Length;

    public ReplicaId this[int index] => Members[index];

    public int IndexOf(ReplicaId id) => Members.IndexOf(id);

    public override string ToString() => string.Join(',', Members);
}
