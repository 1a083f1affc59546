using Orleans.Consensus.Paxos;
using static Orleans.Consensus.Tests.Paxos.Examples;
using Request = Orleans.Consensus.Paxos.Request;

namespace Orleans.Consensus.Tests.Paxos;

/// <summary>Drives one round by hand: what it sent last, how it ended.</summary>
internal sealed class RoundScript
{
    public static readonly RegisterVersion Settle = V(1_000);

    public RoundScript(
        Change change, int replicas = 3, CachedPromise? cached = null, bool wantPayload = true)
    {
        var step = Round.Begin(new(replicas, B(10), B(11), change, Settle, cached, wantPayload));
        (Round, Sent) = (step.Round, step.Broadcast);
    }

    public Round Round { get; private set; }

    /// <summary>The last broadcast.</summary>
    public Request? Sent { get; private set; }

    public Accept SentAccept => Assert.IsType<Accept>(Sent);

    public RoundOutcome Outcome => Assert.IsType<Round.Finished>(Round).Outcome;

    public RoundOutcome.Settled Settled => Assert.IsType<RoundOutcome.Settled>(Outcome);

    public RoundOutcome.Refused Refused => Assert.IsType<RoundOutcome.Refused>(Outcome);

    public bool IsOver => Round is Round.Finished;

    /// <summary>Feeds a reply and says whether the round changed.</summary>
    public bool Hear(int replica, Reply reply)
    {
        var step = Round.On(replica, reply);
        var changed = !ReferenceEquals(step.Round, Round);
        (Round, Sent) = (step.Round, step.Broadcast ?? Sent);
        return changed;
    }

    public RoundScript Promise(int replica, Ballot accepted = default, RegisterValue? value = null)
    {
        Hear(replica, new Promise(B(10), accepted, value));
        return this;
    }

    public RoundScript Absent(int replica, Ballot horizon)
    {
        Hear(replica, new Promise(B(10), Ballot.None, null) { Horizon = horizon });
        return this;
    }

    public RoundScript Accepted(params int[] replicas)
    {
        var ballot = SentAccept.Ballot;
        foreach (var replica in replicas)
        {
            Hear(replica, new Accepted(ballot));
        }

        return this;
    }

    public RoundScript Conflict(int replica, Ballot toBeat)
    {
        Hear(replica, new Conflict(Sent!.Phase, Sent.Ballot, toBeat));
        return this;
    }

    public RoundScript Silent(int replica)
    {
        Hear(replica, new NoAnswer(Sent!.Phase, Sent.Ballot, "timed out"));
        return this;
    }
}
