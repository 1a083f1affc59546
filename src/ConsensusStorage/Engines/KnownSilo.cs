using System.Collections.Immutable;
using Orleans.Consensus.Transport;

namespace Orleans.Consensus.Engines;

/// <summary>What is known of one silo's part of a store.</summary>
/// <param name="Asking">It is being asked.</param>
/// <param name="Silent">It gave no answer when it was asked last.</param>
/// <param name="HasNoStore">It said that it doesn't have this store, or has another one of its name.</param>
/// <param name="Replicas">What it hosts.</param>
internal sealed record KnownSilo(
    bool Asking, bool Silent, bool HasNoStore, ImmutableArray<ReplicaDescription> Replicas)
{
    public static readonly KnownSilo Nothing = new(false, false, false, []);

    /// <summary>What it said it hosts when it was asked last: also while that is doubted, and not used.</summary>
    public ImmutableArray<ReplicaDescription> Told { get; init; } = [];

    /// <summary>It has given an answer at least once.</summary>
    public bool WasHeard { get; init; }

    /// <summary>It answers that it has this store, and no replica of it.</summary>
    public bool HostsNothing => WasHeard && !Silent && !HasNoStore && Told.IsEmpty;

    /// <summary>It is on its way out, and its grains have written their last.</summary>
    public bool IsDone { get; init; }

    /// <summary>Why it gave no answer, or null.</summary>
    public string? WhySilent { get; init; }

    /// <summary>Nothing has changed that anybody decides by: ballots and sizes are for people.</summary>
    public bool SaysTheSame(KnownSilo other) =>
        (Silent, HasNoStore, IsDone) == (other.Silent, other.HasNoStore, other.IsDone)
        && Replicas.Length == other.Replicas.Length
        && Replicas.Zip(other.Replicas).All(pair => SaysTheSame(pair.First, pair.Second));

    private static bool SaysTheSame(ReplicaDescription left, ReplicaDescription right) =>
        (left.Replica, left.Log, left.State, left.Problem, left.Epoch, left.IsGuest)
            == (right.Replica, right.Log, right.State, right.Problem, right.Epoch, right.IsGuest)
        && left.Peers.AsSpan().SequenceEqual(right.Peers.AsSpan());
}
