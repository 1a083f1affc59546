using Orleans.Consensus.Paxos;
using static Orleans.Consensus.Tests.Paxos.Examples;

namespace Orleans.Consensus.Tests.Paxos;

/// <summary>A round's two phases and what it may do without the first (CASPaxos §2.2, §2.2.1).</summary>
public sealed class RoundTests
{
    [Fact]
    public void CASPaxos_2_2_phase_1_asks_every_acceptor_for_a_promise()
    {
        Assert.Equal(new Prepare(B(10), WantPayload: false), new RoundScript(Read(1), wantPayload: false).Sent);
        Assert.Equal(new Prepare(B(10), WantPayload: true), new RoundScript(Write(1, null)).Sent);
    }

    [Fact]
    public void CASPaxos_2_2_phase_1_decides_on_the_value_of_the_highest_accepted_ballot()
    {
        foreach (var order in new[] { (0, 1), (1, 0) })
        {
            var values = new[] { (B(5), Value(5)), (B(5, 2), Value(6)) };
            var (first, second) = (values[order.Item1], values[order.Item2]);
            var script = new RoundScript(Write(7, 6))
                .Promise(0, first.Item1, first.Item2).Promise(1, second.Item1, second.Item2);

            Assert.Equal(V(7), script.SentAccept.Value.Version);
        }
    }

    [Fact]
    public void CASPaxos_2_2_phase_1_waits_for_a_quorum_of_five()
    {
        var script = new RoundScript(Read(1), replicas: 5).Promise(0).Promise(4);
        Assert.False(script.IsOver);

        script.Conflict(1, B(12)).Silent(2);
        Assert.False(script.IsOver);
        Assert.True(script.Promise(3).IsOver);
        Assert.Equal(new ChangeResult.Found(null), script.Settled.Result);
    }

    [Fact]
    public void CASPaxos_2_2_phase_2_asks_for_the_new_value_at_the_promised_ballot_and_for_the_next_one()
    {
        var script = new RoundScript(Write(7, 5)).Promise(0, B(5), Value(5)).Promise(2, B(5), Value(5));

        var sent = script.SentAccept;
        Assert.Equal((B(10), V(7), B(11)), (sent.Ballot, sent.Value.Version, sent.Next));
        Assert.False(script.Accepted(1).IsOver);
        Assert.Equal(new ChangeResult.Applied(V(7)), script.Accepted(2).Settled.Result);
        Assert.False(script.Settled.OneRoundTrip);
        Assert.Equal(B(11), script.Settled.Promise.Ballot);
        Assert.Equal(V(7), script.Settled.Promise.Current!.Version);
        Assert.Same(Payload.Omitted, script.Settled.Promise.Current.Payload);
    }

    [Fact, Trait("Rule", "S21")]
    public void CASPaxos_2_2_1_a_write_on_a_cached_promise_is_one_round_trip()
    {
        var cached = new CachedPromise(B(8), Bare(Value(5)));
        var script = new RoundScript(Write(7, 5), cached: cached);

        var sent = script.SentAccept;
        Assert.Equal((B(8), V(7), B(11)), (sent.Ballot, sent.Value.Version, sent.Next));
        script.Accepted(1, 0);
        Assert.Equal(new ChangeResult.Applied(V(7)), script.Settled.Result);
        Assert.True(script.Settled.OneRoundTrip);
        Assert.Equal(B(11), script.Settled.Promise.Ballot);
    }

    [Fact, Trait("Rule", "S21")]
    public void CASPaxos_2_2_1_a_clear_on_a_cached_promise_is_one_round_trip()
    {
        var script = new RoundScript(Clear(7, 5), cached: new(B(8), Bare(Value(5)))).Accepted(0, 1);

        Assert.Equal(new ChangeResult.Applied(null), script.Settled.Result);
        Assert.Equal(new CachedPromise(B(11), Tombstone(7)), script.Settled.Promise);
    }

    [Fact, Trait("Rule", "S9")]
    public void A_read_is_never_answered_from_a_cached_promise()
    {
        var script = new RoundScript(Read(7), cached: new(B(8), Bare(Value(5))));

        Assert.IsType<Prepare>(script.Sent);
        Assert.Equal(B(10), script.Sent!.Ballot);
    }

    [Theory, Trait("Rule", "S10")]
    [InlineData(6UL)]
    [InlineData(null)]
    public void Stale_is_never_answered_from_a_cached_promise(ulong? expected)
    {
        Assert.IsType<Prepare>(new RoundScript(Write(7, expected), cached: new(B(8), Bare(Value(5)))).Sent);
        Assert.IsType<Prepare>(new RoundScript(Clear(7, expected), cached: new(B(8), Bare(Value(5)))).Sent);
    }

    [Fact, Trait("Rule", "S9")]
    public void A_clear_of_nothing_is_never_answered_from_a_cached_promise() =>
        Assert.IsType<Prepare>(new RoundScript(Clear(7, null), cached: new(B(8), Tombstone(5))).Sent);

    [Fact, Trait("Rule", "S9")]
    public void A_read_that_a_quorum_agrees_on_is_returned_without_writing_back()
    {
        var value = Value(5);
        var script = new RoundScript(Read(7)).Promise(0, B(5), value).Promise(1, B(5), value);

        Assert.Equal(new ChangeResult.Found(value), script.Settled.Result);
        Assert.IsType<Prepare>(script.Sent);
        Assert.True(script.Settled.OneRoundTrip);
        Assert.Equal((B(10), V(5)), (script.Settled.Promise.Ballot, script.Settled.Promise.Current!.Version));
    }

    [Fact, Trait("Rule", "S9")]
    public void A_refusal_before_the_promises_does_not_make_a_uniform_read_differ()
    {
        var script = new RoundScript(Read(7)).Conflict(2, B(99)).Promise(0, B(5), Value(5)).Promise(1, B(5), Value(5));

        Assert.IsType<Prepare>(script.Sent);
        Assert.IsType<ChangeResult.Found>(script.Settled.Result);
    }

    [Theory, Trait("Rule", "S9")]
    [InlineData(0, 5)]
    [InlineData(5, 0)]
    [InlineData(4, 5)]
    [InlineData(5, 4)]
    public void A_read_that_a_quorum_differs_on_writes_the_highest_back_first(long first, long second)
    {
        var values = new Dictionary<long, RegisterValue?> { [0] = null, [4] = Value(4), [5] = Value(5) };
        var script = new RoundScript(Read(7))
            .Promise(0, At(first), values[first]).Promise(1, At(second), values[second]);

        Assert.False(script.IsOver);
        Assert.Equal((B(10), V(5)), (script.SentAccept.Ballot, script.SentAccept.Value.Version));
        Assert.IsType<PayloadBytes>(script.SentAccept.Value.Payload);
        Assert.False(script.Accepted(2).IsOver);
        Assert.Equal(new ChangeResult.Found(values[5]), script.Accepted(0).Settled.Result);
        Assert.False(script.Settled.OneRoundTrip);
        Assert.Equal((B(11), V(5)), (script.Settled.Promise.Ballot, script.Settled.Promise.Current!.Version));

        static Ballot At(long round) => round == 0 ? Ballot.None : B(round);
    }

    [Fact, Trait("Rule", "S9")]
    public void A_value_repaired_at_another_ballot_counts_as_a_difference()
    {
        // The same version at two ballots: neither ballot is known to have a quorum.
        var script = new RoundScript(Read(7)).Promise(0, B(5), Value(5)).Promise(1, B(6), Value(5));

        Assert.Equal(V(5), script.SentAccept.Value.Version);
    }

    [Fact, Trait("Rule", "S10")]
    public void A_failed_compare_that_a_quorum_agrees_on_is_answered_at_once()
    {
        var value = Value(5);
        var script = new RoundScript(Write(7, 4)).Promise(0, B(5), value).Promise(1, B(5), value);

        Assert.Equal(new ChangeResult.Stale(value, MayHaveHappened: false), script.Settled.Result);
        Assert.Equal(InDoubt.None, script.Round.ChangeAfter.InDoubt);
    }

    [Fact, Trait("Rule", "S10")]
    public void A_failed_compare_that_a_quorum_differs_on_writes_back_before_it_says_stale()
    {
        var value = Value(5);
        var script = new RoundScript(Write(7, 4)).Promise(0, B(5), value).Promise(1);

        Assert.Equal(V(5), script.SentAccept.Value.Version);
        Assert.False(script.IsOver);
        script.Accepted(0, 2);
        Assert.Equal(new ChangeResult.Stale(value, MayHaveHappened: false), script.Settled.Result);
    }

    [Fact, Trait("Rule", "S10")]
    public void A_failed_clear_writes_back_like_a_failed_write()
    {
        var script = new RoundScript(Clear(7, 4)).Promise(0, B(5), Tombstone(5)).Promise(1);

        Assert.Equal(Tombstone(5), script.SentAccept.Value);
        Assert.Equal(new ChangeResult.Stale(Tombstone(5), false), script.Accepted(0, 2).Settled.Result);
    }

    [Fact]
    public void Paxos_Made_Simple_2_2_a_proposer_adopts_what_may_have_been_chosen_before_its_own_change()
    {
        // Only replica 2 is known to have accepted value 5, but its ballot may have had a quorum with replica 1.
        var script = new RoundScript(Write(7, 5)).Promise(0).Promise(2, B(5), Value(5));

        Assert.Equal(V(7), script.SentAccept.Value.Version);
        Assert.Equal(new ChangeResult.Applied(V(7)), script.Accepted(0, 2).Settled.Result);
    }

    [Fact]
    public void Two_values_at_one_ballot_stop_the_proposer()
    {
        var script = new RoundScript(Read(7)).Promise(0, B(5), Value(5));

        var violation = Assert.Throws<ProtocolViolationException>(() => script.Promise(1, B(5), Value(6)));
        Assert.Contains("Two values", violation.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void One_acceptor_alone_is_a_quorum()
    {
        var script = new RoundScript(Write(7, null), replicas: 1).Promise(0).Accepted(0);

        Assert.Equal(new ChangeResult.Applied(V(7)), script.Settled.Result);
    }

    [Fact]
    public void Nine_acceptors_need_five_and_there_may_be_no_more()
    {
        var script = new RoundScript(Write(7, null), replicas: ReplicaSet.MaxReplicas);
        script.Promise(0).Promise(2).Promise(4).Promise(6).Conflict(1, B(12)).Conflict(3, B(12));
        Assert.IsType<Prepare>(script.Sent);

        script.Promise(8).Accepted(0, 2, 4, 6);
        Assert.False(script.IsOver);
        Assert.Equal(new ChangeResult.Applied(V(7)), script.Accepted(8).Settled.Result);
    }

    [Fact]
    public void Four_acceptors_need_three()
    {
        var script = new RoundScript(Write(7, null), replicas: 4).Promise(0).Promise(1);
        Assert.IsType<Prepare>(script.Sent);

        script.Promise(2).Accepted(0, 1);
        Assert.False(script.IsOver);
        Assert.True(script.Accepted(3).IsOver);
    }
}
