using Orleans.Consensus.Paxos;
using static Orleans.Consensus.Tests.Paxos.Examples;

namespace Orleans.Consensus.Tests.Paxos;

/// <summary>What is in doubt after a round, how a later one settles it, what a refusal says (S4, S6–S8b).</summary>
public sealed class RoundOutcomeTests
{
    [Fact, Trait("Rule", "S6")]
    public void A_change_refused_in_phase_1_was_never_sent_and_is_in_no_doubt()
    {
        var script = new RoundScript(Write(7, null)).Conflict(0, B(12)).Conflict(1, B(13));

        Assert.Equal(InDoubt.None, script.Round.ChangeAfter.InDoubt);
        Assert.True(script.Refused.Conflicted);
    }

    [Fact, Trait("Rule", "S6")]
    public void A_change_is_in_doubt_from_the_moment_its_accept_is_sent()
    {
        var prepared = new RoundScript(Write(7, null)).Promise(0).Promise(1);
        var cached = new RoundScript(Write(7, 5), cached: new(B(8), Bare(Value(5))));

        Assert.Equal(DoubtOver(null, V(7)), prepared.Round.ChangeAfter.InDoubt);
        Assert.Equal([V(7)], cached.Round.ChangeAfter.InDoubt.Versions);
    }

    [Theory, Trait("Rule", "S6")]
    [InlineData(false)]
    [InlineData(true)]
    public void A_change_refused_in_phase_2_stays_in_doubt_since_a_later_round_may_adopt_it(bool useCache)
    {
        var script = new RoundScript(Write(7, 5), cached: useCache ? new(B(8), Bare(Value(5))) : null);
        if (!useCache)
        {
            script.Promise(0, B(5), Value(5)).Promise(1, B(5), Value(5));
        }

        script.Conflict(0, B(12, 2)).Conflict(1, B(12, 2));
        if (useCache)
        {
            Assert.True(script.Round.IsLost);
            script.Accepted(2);
        }

        Assert.Equal(B(12, 2), script.Refused.ToBeat);
        Assert.Equal(B(12, 2), script.Refused.ToBeatWithoutTheSilent);
        Assert.True(script.Refused.Conflicted);
        Assert.Equal([V(7)], script.Round.ChangeAfter.InDoubt.Versions);
    }

    [Theory, Trait("Rule", "S6")]
    [InlineData(3)]
    [InlineData(5)]
    public void A_change_that_every_acceptor_refused_is_in_no_doubt(int replicas)
    {
        var script = new RoundScript(Write(7, 5), replicas, cached: new(B(8), Bare(Value(5))));
        for (var replica = 0; replica < replicas - 1; replica++)
        {
            script.Conflict(replica, B(12, 2));
            Assert.Equal(replica >= replicas / 2, script.Round.IsLost);
            Assert.Equal([V(7)], script.Round.ChangeAfter.InDoubt.Versions);
        }

        script.Conflict(replicas - 1, B(13, 2));

        Assert.True(script.Refused.Conflicted);
        Assert.Equal(InDoubt.None, script.Round.ChangeAfter.InDoubt);
    }

    [Fact, Trait("Rule", "S6")]
    public void A_replica_that_does_not_answer_has_refused_nothing()
    {
        var cached = new CachedPromise(B(8), Bare(Value(5)));
        var silent = new RoundScript(Write(7, 5), cached: cached).Conflict(0, B(12)).Conflict(1, B(12)).Silent(2);
        var abandoned = new RoundScript(Write(7, 5), cached: cached).Conflict(0, B(12)).Conflict(1, B(12))
            .Round.Abandoned();

        Assert.Equal([V(7)], silent.Round.ChangeAfter.InDoubt.Versions);
        Assert.Equal([V(7)], abandoned.ChangeAfter.InDoubt.Versions);
    }

    [Fact, Trait("Rule", "S6"), Trait("Rule", "S7")]
    public void A_refusal_by_all_leaves_an_earlier_doubt_as_it_was()
    {
        var script = new RoundScript(Write(7, 5, Doubt(V(6))), cached: new(B(8), Bare(Value(5))));
        script.Conflict(0, B(12)).Conflict(1, B(12)).Conflict(2, B(12));

        Assert.Equal([V(6)], script.Round.ChangeAfter.InDoubt.Versions);
    }

    [Fact, Trait("Rule", "S8b")]
    public void An_absence_in_the_cache_is_looked_at_again_before_anything_is_sent()
    {
        foreach (var absence in new[] { null, Tombstone(3) })
        {
            var script = new RoundScript(Write(7, null), cached: new(B(8), absence));

            Assert.Equal(B(10), Assert.IsType<Prepare>(script.Sent).Ballot);
            Assert.Equal(InDoubt.None, script.Round.ChangeAfter.InDoubt);
        }
    }

    [Fact, Trait("Rule", "S6")]
    public void A_refused_write_back_puts_nothing_of_its_own_in_doubt()
    {
        var read = new RoundScript(Read(7)).Promise(0, B(5), Value(5)).Promise(1).Silent(0).Silent(1);
        var stale = new RoundScript(Write(7, 4)).Promise(0, B(5), Value(5)).Promise(1).Silent(0).Silent(1);

        Assert.Equal(InDoubt.None, read.Round.ChangeAfter.InDoubt);
        Assert.Equal(InDoubt.None, stale.Round.ChangeAfter.InDoubt);
        Assert.False(read.Refused.Conflicted);
    }

    [Fact, Trait("Rule", "S7")]
    public void A_retry_that_finds_its_own_version_writes_it_back_and_is_applied()
    {
        var retry = Write(7, 5, Doubt(V(7)));
        var script = new RoundScript(retry).Promise(0, B(8), Value(7)).Promise(1, B(8), Value(7));

        Assert.Equal(V(7), script.SentAccept.Value.Version);
        Assert.Equal(new ChangeResult.Applied(V(7)), script.Accepted(0, 1).Settled.Result);
    }

    [Fact, Trait("Rule", "S7")]
    public void A_retry_with_the_old_etag_does_not_conflict_with_its_earlier_attempt()
    {
        // The owner's write of version 6 is in doubt and did happen; its next write still states the old version 5.
        var script = new RoundScript(Write(7, 5, Doubt(V(6)))).Promise(0, B(8), Value(6)).Promise(1, B(5), Value(5));

        Assert.Equal(V(7), script.SentAccept.Value.Version);
        Assert.Equal([V(6), V(7)], script.Round.ChangeAfter.InDoubt.Versions);
    }

    [Fact, Trait("Rule", "S7")]
    public void A_uniform_read_with_versions_in_doubt_writes_back_before_it_says_they_did_not_happen()
    {
        var script = new RoundScript(Read(7, Doubt(V(6)))).Promise(0, B(5), Value(5)).Promise(1, B(5), Value(5));

        Assert.Equal((B(10), V(5)), (script.SentAccept.Ballot, script.SentAccept.Value.Version));
        Assert.False(script.IsOver);
        Assert.Equal(V(5), Assert.IsType<ChangeResult.Found>(script.Accepted(1, 2).Settled.Result).Value!.Version);
    }

    [Fact, Trait("Rule", "S7")]
    public void A_uniform_stale_with_versions_in_doubt_writes_back_and_says_it_may_have_happened()
    {
        var script = new RoundScript(Write(7, 4, Doubt(V(7)))).Promise(0, B(5), Value(5)).Promise(1, B(5), Value(5));

        Assert.Equal(V(5), script.SentAccept.Value.Version);
        script.Accepted(0, 1);
        Assert.True(Assert.IsType<ChangeResult.Stale>(script.Settled.Result).MayHaveHappened);
    }

    [Theory, Trait("Rule", "S8b"), Trait("Rule", "S12")]
    [InlineData(3, 5)]
    [InlineData(5, 3)]
    [InlineData(5, 0)]
    public void An_absence_is_seen_from_the_highest_floor_of_the_quorum(long first, long second)
    {
        var horizon = new Horizon(5, B(5).Proposer);
        var write = new RoundScript(Write(7, null)).Absent(0, B(first)).Absent(2, B(second));
        var read = new RoundScript(Read(7)).Absent(0, B(first)).Absent(2, B(second));

        Assert.Equal(new Absence(null, horizon), write.Round.ChangeAfter.InDoubt.Binding);
        Assert.Equal(new CachedPromise(B(10), null), read.Settled.Promise);
    }

    [Fact, Trait("Rule", "S8b"), Trait("Rule", "S12")]
    public void A_first_write_that_finds_nothing_behind_a_raised_floor_does_not_write_once_more()
    {
        var bound = new RoundScript(Write(7, null)).Absent(0, B(3)).Absent(1, B(3)).Round.ChangeAfter;

        var same = new RoundScript(bound).Absent(0, B(3)).Absent(1, B(2));
        Assert.Equal(V(7), same.SentAccept.Value.Version);
        var raised = new RoundScript(bound).Absent(0, B(3)).Absent(1, B(4)).Accepted(0, 1);
        Assert.Equal(RoundScript.Settle, raised.SentAccept.Value.Version);
        Assert.Equal(UnknownReason.LostTrack, Assert.IsType<ChangeResult.Unknown>(raised.Settled.Result).Reason);
    }

    [Fact, Trait("Rule", "S8b")]
    public void A_floor_says_nothing_about_a_value()
    {
        var script = new RoundScript(Write(7, 5)).Absent(0, B(4)).Promise(1, B(5), Value(5));

        Assert.Null(script.Round.ChangeAfter.InDoubt.Binding);
    }

    [Fact, Trait("Rule", "S7")]
    public void An_absence_is_settled_by_a_tombstone_that_is_not_the_version_of_any_change()
    {
        var doubt = Doubt(V(6));
        foreach (var change in new Change[] { Read(7, doubt), Clear(7, null, doubt), Write(7, 4, doubt) })
        {
            var script = new RoundScript(change).Promise(0).Promise(1);

            Assert.Equal(new RegisterValue(RoundScript.Settle, null), script.SentAccept.Value);
            Assert.NotEqual(change.Version, script.SentAccept.Value.Version);
            Assert.Equal(change.InDoubt, script.Round.ChangeAfter.InDoubt);
            Assert.Equal(RoundScript.Settle, script.Accepted(0, 1).Settled.Promise.Current!.Version);
        }
    }

    [Fact, Trait("Rule", "S8b")]
    public void A_retry_over_the_absence_it_saw_first_is_sent_again_under_the_same_version()
    {
        var retry = Write(7, null, DoubtOver(null, V(7)));

        Assert.Equal(V(7), new RoundScript(retry).Promise(0).Promise(1).SentAccept.Value.Version);
    }

    [Fact, Trait("Rule", "S8b")]
    public void A_retry_over_another_absence_ends_unknown_and_never_applies_twice()
    {
        // Somebody adopted version 7 and cleared it (tombstone 8), or it never happened: nobody can tell.
        var retry = Write(7, null, DoubtOver(null, V(7)));
        var script = new RoundScript(retry).Promise(0, B(8), Tombstone(8)).Promise(1, B(8), Tombstone(8));

        Assert.Equal(Tombstone(8), script.SentAccept.Value);
        var unknown = Assert.IsType<ChangeResult.Unknown>(script.Accepted(0, 1).Settled.Result);
        Assert.Equal((UnknownReason.LostTrack, retry.InDoubt), (unknown.Reason, unknown.InDoubt));
    }

    [Fact, Trait("Rule", "S8b")]
    public void The_first_accept_binds_to_the_tombstone_it_saw()
    {
        var script = new RoundScript(Write(7, null)).Promise(0, B(3), Tombstone(3)).Promise(1, B(3), Tombstone(3));

        Assert.Equal(DoubtOver(V(3), V(7)), script.Round.ChangeAfter.InDoubt);
    }

    [Fact, Trait("Rule", "S8")]
    public void A_repair_raises_the_ballot_and_keeps_the_version()
    {
        var script = new RoundScript(Read(7)).Promise(0, B(5), Value(5)).Promise(1).Accepted(0, 1);

        Assert.Equal((B(10), V(5)), (script.SentAccept.Ballot, script.SentAccept.Value.Version));
        Assert.Equal(V(5), Assert.IsType<ChangeResult.Found>(script.Settled.Result).Value!.Version);
    }

    [Fact]
    public void A_payload_that_was_not_asked_for_ends_the_round_before_anything_is_sent()
    {
        var bare = Bare(Value(5));
        var read = new RoundScript(Read(7), wantPayload: false).Promise(0, B(5), bare).Promise(1, B(5), bare);
        var stale = new RoundScript(Write(7, 4), wantPayload: false).Promise(0, B(5), bare).Promise(1);
        var doubt = new RoundScript(Write(7, 4, Doubt(V(3))), wantPayload: false)
            .Promise(0, B(5), bare).Promise(1, B(5), bare);

        foreach (var script in new[] { read, stale, doubt })
        {
            Assert.IsType<RoundOutcome.PayloadMissing>(script.Outcome);
            Assert.IsType<Prepare>(script.Sent);
        }
    }

    [Fact]
    public void A_write_and_a_uniform_stale_need_no_payload()
    {
        var bare = Bare(Value(5));
        var write = new RoundScript(Write(7, 5), wantPayload: false).Promise(0, B(5), bare).Promise(1);
        var stale = new RoundScript(Write(7, 4), wantPayload: false).Promise(0, B(5), bare).Promise(1, B(5), bare);
        var cleared = new RoundScript(Read(7), wantPayload: false).Promise(0, B(5), Tombstone(5)).Promise(1);

        Assert.IsType<PayloadBytes>(write.SentAccept.Value.Payload);
        Assert.Equal(new ChangeResult.Stale(bare, false), stale.Settled.Result);
        Assert.Equal(Tombstone(5), cleared.SentAccept.Value);
    }

    [Fact, Trait("Rule", "S23")]
    public void A_round_is_lost_as_soon_as_no_quorum_can_come_any_more()
    {
        var three = new RoundScript(Read(7)).Promise(0).Silent(1);
        Assert.False(three.IsOver);
        Assert.Equal(new RoundOutcome.Refused(Ballot.None, false), three.Silent(2).Outcome);

        var five = new RoundScript(Read(7), replicas: 5).Silent(0).Silent(1);
        Assert.False(five.IsOver);
        Assert.True(five.Silent(2).IsOver);
    }

    [Fact, Trait("Rule", "S4")]
    public void A_refusal_names_the_ballot_that_a_quorum_can_be_won_above()
    {
        var two = new RoundScript(Read(7)).Conflict(0, B(12)).Conflict(1, B(14));
        var poisoned = new RoundScript(Read(7), replicas: 5)
            .Conflict(0, B(long.MaxValue)).Conflict(1, B(14)).Conflict(2, B(12));

        Assert.Equal(B(12), two.Refused.ToBeat);
        Assert.Equal(B(12), poisoned.Refused.ToBeat);
        Assert.True(poisoned.Refused.Conflicted);
    }

    [Fact, Trait("Rule", "S4")]
    public void Without_those_that_are_silent_all_others_have_to_be_beaten()
    {
        var lost = new RoundScript(Read(7)).Conflict(0, B(12)).Conflict(2, B(14));
        var abandoned = new RoundScript(Read(7)).Conflict(2, B(14)).Round.Abandoned();

        Assert.Equal((B(12), B(14)), (lost.Refused.ToBeat, lost.Refused.ToBeatWithoutTheSilent));
        var refused = Assert.IsType<RoundOutcome.Refused>(abandoned.Outcome);
        Assert.Equal((Ballot.None, B(14)), (refused.ToBeat, refused.ToBeatWithoutTheSilent));
    }

    [Fact, Trait("Rule", "S4")]
    public void The_highest_round_that_a_clock_stands_for_can_be_beaten_and_a_higher_one_counts_for_nothing()
    {
        var highest = B(Ballot.MaxRound);
        var believed = new RoundScript(Read(7)).Silent(0).Conflict(1, highest);
        var poisoned = new RoundScript(Read(7)).Silent(0).Conflict(1, B(Ballot.MaxRound + 1));

        Assert.Equal((highest, true), (believed.Refused.ToBeatWithoutTheSilent, believed.Refused.Conflicted));
        Assert.Equal((Ballot.None, false), (poisoned.Refused.ToBeatWithoutTheSilent, poisoned.Refused.Conflicted));
    }

    /// <summary>
    /// Replica 0 is down, so 1 and 2 are the only quorum, and 2 has promised a ballot above everybody's clock. Rounds
    /// that do not beat 2 fail for ever, though a quorum is up.
    /// </summary>
    [Fact, Trait("Rule", "S4")]
    public void A_refusal_by_the_only_quorum_that_is_up_has_to_be_beaten()
    {
        var ahead = B(1_000_000, 2);

        Assert.Equal(ahead, new RoundScript(Read(7)).Silent(0).Promise(1).Conflict(2, ahead).Refused.ToBeat);
        var write = new RoundScript(Write(7, 5), cached: new(B(8), Bare(Value(5))));
        Assert.Equal(ahead, write.Silent(0).Accepted(1).Conflict(2, ahead).Refused.ToBeat);
    }

    [Fact, Trait("Rule", "S4")]
    public void A_round_too_far_ahead_is_a_refusal_that_gives_nothing_to_beat()
    {
        var script = new RoundScript(Read(7));
        script.Hear(0, new TooFarAhead(Phase.Prepare, B(10), 5));
        script.Hear(1, new TooFarAhead(Phase.Prepare, B(10), 5));

        Assert.Equal(new RoundOutcome.Refused(Ballot.None, false), script.Outcome);
    }

    /// <summary>
    /// The clocks of 1 and 2 were ahead once, 0 does not believe what they hold; they are the only quorum to be had.
    /// </summary>
    [Fact, Trait("Rule", "S4")]
    public void Who_does_not_believe_a_ballot_is_no_part_of_the_quorum_to_beat()
    {
        var script = new RoundScript(Read(7));
        script.Hear(0, new TooFarAhead(Phase.Prepare, B(10), 5));

        Assert.Equal(B(14), script.Promise(1).Conflict(2, B(14)).Refused.ToBeat);
    }
}
