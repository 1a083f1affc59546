using Orleans.Consensus.Paxos;
using static Orleans.Consensus.Tests.Paxos.Examples;

namespace Orleans.Consensus.Tests.Paxos;

/// <summary>Floors, dropped tombstones and installed values (CASPaxos §3.1 and §2.3, each with its guard).</summary>
public sealed class AcceptorRepairTests
{
    private static readonly AcceptorState Cleared = Held(B(6), B(5), Tombstone(3));

    [Fact, Trait("Rule", "S11")]
    public void A_floor_never_goes_back()
    {
        foreach (var raise in new Func<GroupFloor, Ballot, GroupFloor>[] { Acceptor.RaiseFloor, Acceptor.RaiseHorizon })
        {
            Assert.Equal(B(5), raise(Both(B(4)), B(5)).Floor);
            Assert.Equal(B(5), raise(Both(B(5)), B(4)).Floor);
            Assert.Equal(B(5, 2), raise(Both(B(5, 2)), B(5)).Floor);
            Assert.Equal(B(5), raise(Both(B(5)), Ballot.None).Floor);
        }
    }

    [Fact, Trait("Rule", "S11"), Trait("Rule", "S12")]
    public void A_floor_may_rise_alone_and_a_horizon_only_with_its_floor()
    {
        Assert.Equal(new(B(5), B(3)), Acceptor.RaiseFloor(Both(B(3)), B(5)));
        Assert.Equal(Both(B(5)), Acceptor.RaiseHorizon(Both(B(3)), B(5)));
        Assert.Equal(new(B(6), B(5)), Acceptor.RaiseHorizon(new(B(6), B(3)), B(5)));
        Assert.Equal(new(B(6), B(4)), Acceptor.RaiseHorizon(new(B(6), B(4)), B(3)));
        Assert.True(new GroupFloor(B(5), B(3)).MayFollow(Both(B(3))));
        Assert.True(Both(B(3)).MayFollow(Both(B(3))));
        Assert.False(new GroupFloor(B(5), B(2)).MayFollow(Both(B(3))));
        Assert.False(new GroupFloor(B(4), B(3)).MayFollow(new(B(5), B(3))));
        Assert.False(new GroupFloor(B(5), B(6)).MayFollow(Both(B(3))));
    }

    [Fact, Trait("Rule", "S11")]
    public void An_absent_register_stands_at_the_floor()
    {
        var absent = AcceptorState.Absent(B(5));

        Assert.Equal(Held(B(5), Ballot.None, null), absent);
        Assert.IsType<Conflict>(Step(absent, new Prepare(B(5), false), B(5)).Reply);
        Assert.IsType<Conflict>(Step(absent, new Accept(B(4), Value(1), B(9)), B(5)).Reply);
        Assert.IsType<Promise>(Step(absent, new Prepare(B(6), false), B(5)).Reply);
    }

    [Fact, Trait("Rule", "S11")]
    public void A_promise_may_be_forgotten_exactly_if_nothing_was_accepted_and_the_floor_covers_it()
    {
        Assert.True(Held(B(5), Ballot.None, null).IsCoveredBy(B(5)));
        Assert.True(Held(B(5), Ballot.None, null).IsCoveredBy(B(5, 2)));
        Assert.False(Held(B(5), Ballot.None, null).IsCoveredBy(B(4)));
        Assert.False(Held(B(5, 2), Ballot.None, null).IsCoveredBy(B(5)));
        Assert.False(Held(B(5), B(1), Value(1)).IsCoveredBy(B(9)));
        Assert.False(Held(B(5), B(1), Tombstone(1)).IsCoveredBy(B(9)));
    }

    [Fact, Trait("Rule", "S11")]
    public void A_forgotten_promise_that_the_floor_covers_refuses_the_same_prepares()
    {
        var promised = Held(B(5), Ballot.None, null);
        foreach (var ballot in new[] { B(4), B(5), B(5, 2), B(6) })
        {
            var prepare = new Prepare(ballot, false);
            var forgotten = Step(AcceptorState.Absent(B(5)), prepare, B(5));
            Assert.Equal(Step(promised, prepare, B(5)).Reply, forgotten.Reply);
        }
    }

    [Fact, Trait("Rule", "S12")]
    public void A_tombstone_is_dropped_when_all_local_conditions_hold()
    {
        Assert.Null(Acceptor.Drop(Cleared, Both(B(6)), B(5), V(3)));
        Assert.Null(Acceptor.Drop(Cleared, Both(B(7)), B(5), V(3)));
    }

    [Fact, Trait("Rule", "S12")]
    public void A_tombstone_stays_when_the_floor_does_not_cover_its_promise() =>
        Assert.Same(Cleared, Acceptor.Drop(Cleared, Both(B(5)), B(5), V(3)));

    [Fact, Trait("Rule", "S12")]
    public void A_tombstone_stays_when_the_floor_does_not_cover_its_accepted_ballot()
    {
        var installed = Held(B(2), B(5), Tombstone(3));

        Assert.Same(installed, Acceptor.Drop(installed, Both(B(4)), B(5), V(3)));
        Assert.Null(Acceptor.Drop(installed, Both(B(5)), B(5), V(3)));
    }

    [Fact, Trait("Rule", "S12")]
    public void A_tombstone_stays_when_the_horizon_does_not_cover_it()
    {
        Assert.Same(Cleared, Acceptor.Drop(Cleared, new(B(9), B(4)), B(5), V(3)));
        Assert.Null(Acceptor.Drop(Cleared, new(B(9), B(5)), B(5), V(3)));
    }

    [Fact, Trait("Rule", "S12")]
    public void A_tombstone_stays_when_it_was_accepted_again_at_another_ballot()
    {
        Assert.Same(Cleared, Acceptor.Drop(Cleared, Both(B(9)), B(4), V(3)));
        Assert.Same(Cleared, Acceptor.Drop(Cleared, Both(B(9)), B(5, 2), V(3)));
    }

    [Fact, Trait("Rule", "S12")]
    public void Another_tombstone_than_the_agreed_one_stays() =>
        Assert.Same(Cleared, Acceptor.Drop(Cleared, Both(B(9)), B(5), V(4)));

    [Fact, Trait("Rule", "S12")]
    public void A_value_is_never_dropped()
    {
        var live = Held(B(6), B(5), Value(3));
        var nothing = Held(B(6), Ballot.None, null);

        Assert.Same(live, Acceptor.Drop(live, Both(B(9)), B(5), V(3)));
        Assert.Same(nothing, Acceptor.Drop(nothing, Both(B(9)), Ballot.None, V(3)));
        Assert.Same(nothing, Acceptor.Drop(nothing, Both(B(9)), Ballot.None, default));
    }

    [Fact, Trait("Rule", "S14")]
    public void A_chosen_value_is_installed_above_the_accepted_ballot_and_the_promise_stays()
    {
        var state = Held(B(6), B(3), Value(1));
        var chosen = Value(2);

        Assert.Equal(Held(B(6), B(5), chosen), Install(state, B(5), chosen));
        Assert.Equal(Held(B(6), B(8), chosen), Install(state, B(8), chosen));
        Assert.Equal(Held(B(4), B(2), chosen), Install(AcceptorState.Absent(B(4)), B(2), chosen));
    }

    [Theory, Trait("Rule", "S14")]
    [InlineData(2, 1)]
    [InlineData(3, 0)]
    [InlineData(3, 1)]
    public void Nothing_is_installed_at_or_below_the_accepted_ballot(long round, int proposer)
    {
        var state = Held(B(6), B(3), Value(1));

        Assert.Same(state, Install(state, B(round, proposer), Value(2)));
    }

    /// <summary>The value may have been cleared since, and the tombstone dropped: then the horizon has moved.</summary>
    [Theory, Trait("Rule", "S14"), Trait("Rule", "S12")]
    [InlineData(5, 4, false)]
    [InlineData(4, 4, true)]
    [InlineData(3, 4, true)]
    public void Nothing_is_installed_over_an_absence_above_whose_horizon_it_was_not_seen(
        long horizon, long seen, bool taken)
    {
        var absent = AcceptorState.Absent(B(8));
        var group = new GroupFloor(B(8), B(horizon));
        var promised = Held(B(9), Ballot.None, null);
        var older = Held(B(9), B(1), Value(1));

        Assert.Equal(taken, Acceptor.Install(absent, group, B(2), Value(2), B(seen)) != absent);
        Assert.Equal(taken, Acceptor.Install(promised, group, B(2), Value(2), B(seen)) != promised);
        Assert.Equal(B(2), Acceptor.Install(older, group, B(2), Value(2), B(seen)).Accepted);
    }

    [Fact, Trait("Rule", "S14")]
    public void An_installed_value_that_is_accepted_once_more_stays_in_its_place_in_the_log()
    {
        var state = Install(Held(B(3), Ballot.None, null), B(5), Value(1));
        var sameFromTheWire = new RegisterValue(V(1), new PayloadBytes(new byte[] { 1 }));

        var step = Step(state, new Accept(B(5), sameFromTheWire, B(9)));

        Assert.Equal(new Accepted(B(5)), step.Reply);
        Assert.Equal(B(9), step.Next.Promised);
        Assert.Same(state.Value, step.Next.Value);
    }

    [Fact, Trait("Rule", "S14")]
    public void An_installed_ballot_above_the_promise_refuses_what_is_below()
    {
        var state = Install(Held(B(3), Ballot.None, null), B(5), Value(1));

        Assert.Equal(B(5), state.Highest);
        Assert.Equal(new Conflict(Phase.Prepare, B(5), B(5)), Step(state, new Prepare(B(5), false)).Reply);
        Assert.Equal(new Conflict(Phase.Accept, B(4), B(5)), Step(state, new Accept(B(4), Value(2), B(9))).Reply);
        Assert.Equal(Held(B(6), B(5), state.Value), Step(state, new Prepare(B(6), false)).Next);
    }
}
