using System.Collections.Immutable;
using Orleans.Consensus.Paxos;

namespace Orleans.Consensus.Simulation.Explorer;

/// <summary>One accept as it was sent, and who took it.</summary>
/// <param name="Source">The accepted ballot it was decided upon.</param>
/// <param name="Takers">Mask of the acceptors that accepted it.</param>
/// <param name="IsRuledOut">Its proposer was told that no acceptor ever accepts it.</param>
internal readonly record struct Proposal(
    Ballot Ballot, RegisterVersion Version, Ballot Source, uint Takers, bool IsRuledOut = false);

/// <summary>
/// All-knowing record of what was proposed and accepted; checks that it makes one history. Immutable.
/// </summary>
internal sealed record Ledger(int Quorum, ImmutableArray<Proposal> Proposals, ImmutableArray<RegisterVersion> Dead)
{
    /// <summary>The versions that took effect, in order; worked out from the highest chosen ballot downwards.</summary>
    public ImmutableArray<RegisterVersion> Applied { get; init; } = [];

    /// <summary>Ballots of tombstones that somebody has dropped.</summary>
    public ImmutableArray<Ballot> Dropped { get; private init; } = [];

    /// <summary>It was proposed, and not every proposal of it was ruled out.</summary>
    public bool MayTakeEffect(RegisterVersion version) =>
        Proposals.Any(proposal => proposal.Version == version && !proposal.IsRuledOut);

    public Ledger Propose(Ballot ballot, RegisterVersion version, Ballot source)
    {
        foreach (var proposal in Proposals)
        {
            if (proposal.Ballot == ballot)
            {
                Fail(proposal.Version != version, $"Two versions were proposed at {ballot}.");
                return this;
            }
        }

        Fail(source >= ballot, $"{ballot} was decided upon {source}.");
        return this with { Proposals = Proposals.Add(new(ballot, version, source, 0)) };
    }

    public Ledger Accept(Ballot ballot, int acceptor)
    {
        var index = IndexOf(ballot);
        Fail(index < 0, $"{ballot} was accepted and never proposed.");
        var proposal = Proposals[index];
        Fail(proposal.IsRuledOut, $"{ballot} was accepted after it was ruled out.");
        proposal = proposal with { Takers = proposal.Takers | (1u << acceptor) };
        var next = this with { Proposals = Proposals.SetItem(index, proposal) };
        return IsChosen(proposal) ? next.WorkOut() : next;
    }

    /// <summary>Its proposer takes it for certain that nothing is ever accepted at <paramref name="ballot"/>.</summary>
    public Ledger RuleOut(Ballot ballot)
    {
        var index = IndexOf(ballot);
        Fail(Proposals[index].Takers != 0, $"{ballot} was ruled out after it was accepted.");
        return this with { Proposals = Proposals.SetItem(index, Proposals[index] with { IsRuledOut = true }) };
    }

    /// <summary>From now on none of <paramref name="versions"/> may take effect that has not yet (S7).</summary>
    public Ledger Bury(ImmutableArray<RegisterVersion> versions)
    {
        var dead = versions.Where(version => !Applied.Contains(version) && !Dead.Contains(version)).ToArray();
        return dead.Length == 0 ? this : this with { Dead = Dead.AddRange(dead) };
    }

    /// <summary>The tombstone accepted at <paramref name="ballot"/> may be forgotten by now.</summary>
    public Ledger Drop(Ballot ballot) =>
        Dropped.Contains(ballot) ? this : this with { Dropped = Dropped.Add(ballot) };

    public bool IsChosen(Proposal proposal) => System.Numerics.BitOperations.PopCount(proposal.Takers) >= Quorum;

    private Ledger WorkOut()
    {
        var top = Proposals.Where(IsChosen).MaxBy(proposal => proposal.Ballot);
        var applied = new List<RegisterVersion>();
        var chosen = 0;
        for (Proposal? at = top; at is { } proposal; at = Before(proposal))
        {
            chosen += IsChosen(proposal) ? 1 : 0;
            if (applied.Count == 0 || applied[^1] != proposal.Version)
            {
                Fail(applied.Contains(proposal.Version), $"{proposal.Version} took effect twice.");
                Fail(Dead.Contains(proposal.Version), $"{proposal.Version} took effect after it was ruled out.");
                applied.Add(proposal.Version);
            }
        }

        Fail(chosen != Proposals.Count(IsChosen), "A chosen value was passed over.");
        applied.Reverse();
        return this with { Applied = [.. applied] };
    }

    /// <summary>What it was decided upon. Nothing: perhaps because the last tombstone before it was dropped.</summary>
    private Proposal? Before(Proposal proposal)
    {
        var forgotten = Dropped.Where(ballot => ballot < proposal.Ballot).DefaultIfEmpty(Ballot.None).Max();
        return Find(proposal.Source.IsNone ? forgotten : proposal.Source);
    }

    private Proposal? Find(Ballot ballot) => IndexOf(ballot) is >= 0 and var index ? Proposals[index] : null;

    private int IndexOf(Ballot ballot)
    {
        for (var i = 0; i < Proposals.Length; i++)
        {
            if (Proposals[i].Ballot == ballot)
            {
                return i;
            }
        }

        return -1;
    }

    private static void Fail(bool failed, string message)
    {
        if (failed)
        {
            throw new WorldViolationException(message);
        }
    }
}
