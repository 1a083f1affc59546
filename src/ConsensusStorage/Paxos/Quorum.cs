using System.Numerics;

namespace Orleans.Consensus.Paxos;

/// <summary>How a vote stands.</summary>
internal enum Verdict
{
    Pending,
    Won,
    Lost,
}

/// <summary>
/// The votes of N acceptors in one phase: a majority wins, and it is lost once no majority can come any more.
/// The first vote of a replica counts (S22). Immutable.
/// </summary>
internal readonly record struct Votes(int Replicas, uint Yes, uint No)
{
    public static Votes Of(int replicas) => new(replicas, 0, 0);

    /// <summary>The smallest number of acceptors of which any two sets share one.</summary>
    public static int QuorumOf(int replicas) => (replicas / 2) + 1;

    public Verdict Verdict
    {
        get
        {
            var quorum = QuorumOf(Replicas);
            if (BitOperations.PopCount(Yes) >= quorum)
            {
                return Verdict.Won;
            }

            return Replicas - BitOperations.PopCount(No) < quorum ? Verdict.Lost : Verdict.Pending;
        }
    }

    /// <summary>Every replica has voted.</summary>
    public bool AreComplete => BitOperations.PopCount(Yes | No) == Replicas;

    public bool HasVoted(int replica) => ((Yes | No) & (1u << replica)) != 0;

    public Votes With(int replica, bool yes) =>
        yes ? this with { Yes = Yes | (1u << replica) } : this with { No = No | (1u << replica) };

    /// <summary>
    /// The ballot that a quorum can be won above: the quorum-th lowest of what the acceptors hold (none where nothing
    /// is known), not the highest, so that one poisoned acceptor can't drag all along (S4). Acceptors that can't be
    /// had don't count, unless there is no quorum without them; then all others have to be beaten.
    /// </summary>
    public static Ballot ToBeat(ReadOnlySpan<Ballot> held)
    {
        Span<Ballot> sorted = stackalloc Ballot[held.Length];
        held.CopyTo(sorted);
        sorted.Sort();
        var last = QuorumOf(held.Length) - 1;
        while (last >= 0 && sorted[last] == Ballot.Unreachable)
        {
            last--;
        }

        return last < 0 ? Ballot.None : sorted[last];
    }
}
