using Orleans.Consensus.Paxos;
using static Orleans.Consensus.Tests.Paxos.Examples;

namespace Orleans.Consensus.Tests.Paxos;

/// <summary>Late, repeated, foreign and wrong-phase replies change nothing (S22).</summary>
public sealed class RoundReplyTests
{
    public static TheoryData<string> Strangers => [.. Replies(B(99)).Keys];

    [Theory, Trait("Rule", "S22")]
    [MemberData(nameof(Strangers))]
    public void A_reply_to_another_ballot_changes_nothing(string name)
    {
        foreach (var ballot in new[] { B(99), B(10, 2), B(9), B(11), Ballot.None })
        {
            var preparing = new RoundScript(Write(7, null)).Promise(0);
            var accepting = new RoundScript(Write(7, null)).Promise(0).Promise(1).Accepted(0);

            Assert.False(preparing.Hear(1, Replies(ballot)[name]));
            Assert.False(accepting.Hear(1, Replies(ballot)[name]));
        }
    }

    [Fact, Trait("Rule", "S22")]
    public void A_reply_of_the_other_phase_changes_nothing()
    {
        var preparing = new RoundScript(Write(7, null)).Promise(0);
        var accepting = new RoundScript(Write(7, null)).Promise(0).Promise(1).Accepted(0);

        foreach (var reply in Replies(B(10)).Values)
        {
            var script = reply.Phase == Phase.Prepare ? accepting : preparing;
            Assert.False(script.Hear(1, reply));
            Assert.False(script.Hear(2, reply));
        }

        Assert.False(preparing.IsOver);
        Assert.False(accepting.IsOver);
    }

    [Fact, Trait("Rule", "S22")]
    public void A_late_promise_of_the_third_replica_is_no_vote_in_phase_2()
    {
        var script = new RoundScript(Write(7, null)).Promise(0).Promise(1).Accepted(0);

        Assert.False(script.Hear(2, new Promise(B(10), Ballot.None, null)));
        Assert.False(script.IsOver);
    }

    [Fact, Trait("Rule", "S22")]
    public void A_repeated_reply_counts_once()
    {
        var preparing = new RoundScript(Write(7, null)).Promise(0);
        Assert.False(preparing.Hear(0, new Promise(B(10), Ballot.None, null)));
        Assert.False(preparing.Hear(0, new Promise(B(10), B(5), Value(5))));

        var accepting = new RoundScript(Write(7, null)).Promise(0).Promise(1).Accepted(2);
        Assert.False(accepting.Hear(2, new Accepted(B(10))));
        Assert.False(accepting.IsOver);
    }

    [Fact, Trait("Rule", "S22")]
    public void The_first_word_of_a_replica_counts()
    {
        var script = new RoundScript(Read(7)).Silent(0);
        Assert.False(script.Hear(0, new Promise(B(10), Ballot.None, null)));

        script.Promise(1);
        Assert.False(script.IsOver);
        Assert.False(script.Hear(1, new Conflict(Phase.Prepare, B(10), B(12))));
        Assert.True(script.Promise(2).IsOver);
    }

    [Fact, Trait("Rule", "S22")]
    public void Nothing_changes_a_finished_round()
    {
        var applied = new RoundScript(Write(7, null)).Promise(0).Promise(1).Accepted(0, 1);
        var refused = new RoundScript(Write(7, null)).Conflict(0, B(12)).Conflict(1, B(12));

        foreach (var reply in Replies(B(10)).Values)
        {
            Assert.False(applied.Hear(2, reply));
            Assert.False(refused.Hear(2, reply));
        }
    }

    [Fact, Trait("Rule", "S21")]
    public void Replies_to_the_unused_prepare_ballot_are_strangers_on_a_cached_promise()
    {
        var script = new RoundScript(Write(7, 5), cached: new(B(8), Bare(Value(5))));

        Assert.False(script.Hear(0, new Accepted(B(10))));
        Assert.False(script.Hear(0, new Promise(B(10), Ballot.None, null)));
        Assert.False(script.Hear(0, new Accepted(B(11))));
        Assert.True(script.Hear(0, new Accepted(B(8))));
    }

    private static Dictionary<string, Reply> Replies(Ballot ballot) => new()
    {
        ["promise"] = new Promise(ballot, Ballot.None, null),
        ["promise of a value"] = new Promise(ballot, B(5), Value(5)),
        ["accepted"] = new Accepted(ballot),
        ["conflict in phase 1"] = new Conflict(Phase.Prepare, ballot, B(12)),
        ["conflict in phase 2"] = new Conflict(Phase.Accept, ballot, B(12)),
        ["too far ahead in phase 1"] = new TooFarAhead(Phase.Prepare, ballot, 1),
        ["too far ahead in phase 2"] = new TooFarAhead(Phase.Accept, ballot, 1),
        ["no answer in phase 1"] = new NoAnswer(Phase.Prepare, ballot, ""),
        ["no answer in phase 2"] = new NoAnswer(Phase.Accept, ballot, ""),
    };
}
