using System.Collections.Immutable;
using System.Diagnostics;

namespace Orleans.Consensus;

/// <summary>
/// What somebody wants of a register, as data: it can be forwarded, logged, replayed and checked. Immutable.
/// </summary>
/// <param name="Version">Minted for this change alone; the version of the value it makes, if it makes one (S8).</param>
/// <param name="InDoubt">Earlier changes by the same owner whose outcome it does not know.</param>
internal abstract record Change(RegisterVersion Version, InDoubt InDoubt)
{
    /// <summary>
    /// What this change does to <paramref name="current"/> (null: never written, or forgotten behind
    /// <paramref name="horizon"/>). Pure; the whole meaning of compare-and-swap, retries and clears is here, for Paxos
    /// and Raft alike.
    /// </summary>
    public abstract Decision Apply(RegisterValue? current, Horizon horizon);

    /// <summary>
    /// The same change after an Accept of it was sent over <paramref name="seen"/>: from now on finding its own
    /// version means it happened, and "absent" means the absence it saw then and no other (S8b).
    /// </summary>
    public Change Attempted(RegisterValue? seen, Horizon horizon)
    {
        var binding = InDoubt.Binding ?? Absence.Of(seen, horizon);
        var versions = InDoubt.Versions.Contains(Version) ? InDoubt.Versions : InDoubt.Versions.Add(Version);
        return this with { InDoubt = new(versions, binding) };
    }

    /// <summary>Returns the state; writes nothing of its own.</summary>
    public sealed record Read(RegisterVersion Version, InDoubt InDoubt) : Change(Version, InDoubt)
    {
        public override Decision Apply(RegisterValue? current, Horizon horizon) => Decision.Keep.Instance;
    }

    /// <summary>
    /// Replaces the state if its version is <paramref name="Expected"/> (null: only if there is none).
    /// </summary>
    public sealed record Write(
        RegisterVersion Version, InDoubt InDoubt, RegisterVersion? Expected, Payload Payload)
        : Change(Version, InDoubt)
    {
        public override Decision Apply(RegisterValue? current, Horizon horizon)
        {
            if (current?.Version == Version)
            {
                return Decision.AlreadyApplied.Instance;
            }

            var expectedFound = Expected is { } expected ? Holds(current, expected) : SeesItsAbsence(current, horizon);
            if (expectedFound || InDoubt.Owns(current))
            {
                return new Decision.Put(new RegisterValue(Version, Payload));
            }

            return Expected is null && current is null or { IsTombstone: true }
                ? Decision.Undecidable.Instance
                : Decision.Stale.Instance;
        }

        private bool SeesItsAbsence(RegisterValue? current, Horizon horizon) =>
            Absence.Of(current, horizon) is { } found
            && (InDoubt.Binding is { } bound ? bound == found : !InDoubt.Versions.Contains(Version));
    }

    /// <summary>
    /// Removes the state if its version is <paramref name="Expected"/>; with null, only "there is none" will do.
    /// </summary>
    public sealed record Clear(RegisterVersion Version, InDoubt InDoubt, RegisterVersion? Expected)
        : Change(Version, InDoubt)
    {
        public override Decision Apply(RegisterValue? current, Horizon horizon)
        {
            if (current?.Version == Version)
            {
                return Decision.AlreadyApplied.Instance;
            }

            if (InDoubt.Owns(current) || (Expected is { } expected && Holds(current, expected)))
            {
                return new Decision.Put(new RegisterValue(Version, Payload: null));
            }

            return Expected is null && current is null or { IsTombstone: true }
                ? Decision.AlreadyApplied.Instance
                : Decision.Stale.Instance;
        }
    }

    private static bool Holds(RegisterValue? current, RegisterVersion expected) =>
        current is { IsTombstone: false } && current.Version == expected;
}

/// <summary>Versions that may or may not have been chosen. Belongs to the grain's state object (S7).</summary>
/// <param name="Versions">Each one that was sent in an Accept without a known outcome.</param>
/// <param name="Binding">The absence that the first of them saw, if it saw one (S8b).</param>
internal sealed record InDoubt(ImmutableArray<RegisterVersion> Versions, Absence? Binding)
{
    public static readonly InDoubt None = new([], null);

    public bool IsNone => Versions.IsEmpty;

    public bool Owns(RegisterValue? current) => current is not null && Versions.Contains(current.Version);

    public bool Equals(InDoubt? other) =>
        other is not null && Binding == other.Binding && Versions.AsSpan().SequenceEqual(other.Versions.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Versions.Length, Binding);
}

/// <summary>
/// One particular absence: cleared by that tombstone, or (null) never written as far as can be told from
/// <paramref name="Horizon"/>.
/// </summary>
internal readonly record struct Absence(RegisterVersion? Tombstone, Horizon Horizon = default)
{
    /// <summary>The absence that was seen, if it was one.</summary>
    public static Absence? Of(RegisterValue? seen, Horizon horizon) => seen switch
    {
        null => new Absence(null, horizon),
        { IsTombstone: true } => new Absence(seen.Version),
        _ => null,
    };
}

/// <summary>
/// Names up to where tombstones may have been dropped. Whatever was written and cleared since an absence was seen, and
/// is forgotten by now, has moved it (S12); so two absences without a tombstone at one horizon are the same.
/// </summary>
internal readonly record struct Horizon(long Round, ProposerId By);

/// <summary>What <see cref="Change.Apply"/> decided.</summary>
internal abstract record Decision
{
    /// <summary>Nothing to write: a read.</summary>
    public sealed record Keep : Decision
    {
        public static readonly Keep Instance = new();
    }

    /// <summary>Nothing to write: the register is already as the change wants it.</summary>
    public sealed record AlreadyApplied : Decision
    {
        public static readonly AlreadyApplied Instance = new();
    }

    /// <summary>The register has to become this.</summary>
    public sealed record Put(RegisterValue Value) : Decision;

    /// <summary>The register holds something else than was expected.</summary>
    public sealed record Stale : Decision
    {
        public static readonly Stale Instance = new();
    }

    /// <summary>
    /// An absence, but not the one an earlier attempt saw: it may have been applied and cleared (S8b).
    /// </summary>
    public sealed record Undecidable : Decision
    {
        public static readonly Undecidable Instance = new();
    }

    /// <summary>The settled result for the caller once the register durably holds <paramref name="current"/>.</summary>
    public ChangeResult ToResult(Change change, RegisterValue? current) => this switch
    {
        Keep => new ChangeResult.Found(current),
        AlreadyApplied or Put => new ChangeResult.Applied(change is Change.Clear ? null : change.Version),
        Stale => new ChangeResult.Stale(current, !change.InDoubt.IsNone),
        Undecidable => new ChangeResult.Unknown(change.InDoubt, UnknownReason.LostTrack, []),
        _ => throw new UnreachableException(),
    };
}
