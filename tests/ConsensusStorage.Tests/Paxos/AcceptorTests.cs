using Orleans.Consensus.Paxos;
using static Orleans.Consensus.Tests.Paxos.Examples;

namespace Orleans.Consensus.Tests.Paxos;

/// <summary>The acceptor's two transitions, over every relation of the ballots in them (CASPaxos §2.2).</summary>
public sealed class AcceptorTests
{
    /// <summary>None, and three rounds of three proposers: every &lt;, =, &gt; also within one round.</summary>
    private static readonly Ballot[] Small =
        [Ballot.None, B(1, 1), B(1, 2), B(2, 1), B(2, 2), B(2, 3), B(3, 1), B(3, 2)];

    private static IEnumerable<AcceptorState> States =>
        from promised in Small
        from accepted in Small
        select Held(promised, accepted, accepted.IsNone ? null : Value(9));

    [Fact, Trait("Rule", "S3")]
    public void A_promise_is_given_exactly_above_promised_accepted_and_floor()
    {
        foreach (var state in States)
        {
            foreach (var floor in Small)
            {
                foreach (var ballot in Small)
                {
                    var step = Acceptor.On(
                        state, new(floor, Ballot.Min(floor, B(1))), new(ballot, WantPayload: true), NoCeiling);
                    if (ballot > state.Promised && ballot > state.Accepted && ballot > floor)
                    {
                        var told = state.Accepted.IsNone ? Ballot.Min(floor, B(1)) : Ballot.None;
                        Assert.Equal(new Promise(ballot, state.Accepted, state.Value) { Horizon = told }, step.Reply);
                        Assert.Equal(state with { Promised = ballot }, step.Next);
                        continue;
                    }

                    Assert.Same(state, step.Next);
                    var toBeat = Small.Where(b => b == state.Promised || b == state.Accepted || b == floor).Max();
                    Assert.Equal(new Conflict(Phase.Prepare, ballot, toBeat), step.Reply);
                }
            }
        }
    }

    [Fact, Trait("Rule", "S3")]
    public void An_accept_is_taken_exactly_from_the_promise_on_and_above_the_accepted()
    {
        foreach (var state in States)
        {
            foreach (var ballot in Small)
            {
                foreach (var next in Small)
                {
                    var step = Acceptor.On(state, new(ballot, Value(7), next), NoCeiling);
                    if (ballot >= state.Promised && ballot > state.Accepted)
                    {
                        Assert.Equal(new Accepted(ballot), step.Reply);
                        Assert.Equal(Held(ballot > next ? ballot : next, ballot, step.Next.Value), step.Next);
                        Assert.Equal(V(7), step.Next.Value!.Version);
                        continue;
                    }

                    Assert.Same(state, step.Next);
                    Assert.Equal(new Conflict(Phase.Accept, ballot, state.Highest), step.Reply);
                }
            }
        }
    }

    [Fact, Trait("Rule", "S3")]
    public void No_step_lowers_a_ballot_or_changes_a_value_without_raising_its_ballot()
    {
        foreach (var state in States)
        {
            foreach (var ballot in Small)
            {
                foreach (var next in Small)
                {
                    AssertForward(state, Acceptor.On(state, Both(next), new(ballot, false), NoCeiling).Next);
                    AssertForward(state, Acceptor.On(state, new(ballot, Value(7), next), NoCeiling).Next);
                    AssertForward(state, Acceptor.On(state, new(ballot, Value(9), next), NoCeiling).Next);
                    AssertForward(state, Acceptor.Install(state, Both(next), ballot, Value(7), default));
                }
            }
        }
    }

    [Fact, Trait("Rule", "S3")]
    public void The_promise_reports_what_was_accepted_and_not_what_was_promised()
    {
        var step = Step(Held(B(5), B(3), Value(1)), new Prepare(B(6), true));

        Assert.Equal(new Promise(B(6), B(3), Value(1)) with { Value = ((Promise)step.Reply).Value }, step.Reply);
        Assert.Equal((B(6), B(3)), (step.Next.Promised, step.Next.Accepted));
    }

    [Fact, Trait("Rule", "S3")]
    public void A_prepare_once_more_is_refused_since_its_ballot_is_promised_already()
    {
        var promised = Step(AcceptorState.Absent(default), new Prepare(B(1), false)).Next;

        Assert.Equal(new Conflict(Phase.Prepare, B(1), B(1)), Step(promised, new Prepare(B(1), false)).Reply);
    }

    [Fact, Trait("Rule", "S5")]
    public void The_same_accept_once_more_is_acknowledged_and_changes_nothing()
    {
        var accept = new Accept(B(2), Value(1), B(4));
        var once = Step(AcceptorState.Absent(default), accept);
        var twice = Step(once.Next, accept);

        Assert.Equal(once.Reply, twice.Reply);
        Assert.Same(once.Next, twice.Next);
    }

    [Fact, Trait("Rule", "S5")]
    public void The_same_accept_is_acknowledged_also_after_a_higher_promise()
    {
        var accept = new Accept(B(2), Value(1), B(4));
        var overtaken = Step(Step(AcceptorState.Absent(default), accept).Next, new Prepare(B(9, 2), false)).Next;
        var again = Step(overtaken, accept);

        Assert.Equal(new Accepted(B(2)), again.Reply);
        Assert.Same(overtaken, again.Next);
    }

    [Fact, Trait("Rule", "S1")]
    public void The_same_ballot_with_another_value_is_refused()
    {
        var held = Step(AcceptorState.Absent(default), new Accept(B(2), Value(1), B(4))).Next;
        var step = Step(held, new Accept(B(2), Value(2), B(4)));

        Assert.Same(held, step.Next);
        Assert.Equal(new Conflict(Phase.Accept, B(2), B(4)), step.Reply);
    }

    [Fact, Trait("Rule", "S3")]
    public void An_accept_at_no_ballot_is_never_a_duplicate_of_nothing()
    {
        var absent = AcceptorState.Absent(default);

        Assert.IsType<Conflict>(Step(absent, new Accept(Ballot.None, Value(1), B(4))).Reply);
        Assert.IsType<Conflict>(Step(absent, new Accept(B(-1), Value(1), B(4))).Reply);
    }

    [Theory, Trait("Rule", "S5")]
    [InlineData(1, 5)]
    [InlineData(5, 5)]
    [InlineData(8, 8)]
    public void Promise_ballot_and_value_change_together_in_one_record(long next, long promised)
    {
        var accept = new Accept(B(5), Value(1), B(next));
        var step = Step(Held(B(5), B(2), Value(9)), accept);

        Assert.Equal(Held(B(promised), B(5), accept.Value), step.Next);
        Assert.Same(accept.Value, step.Next.Value);
    }

    [Fact, Trait("Rule", "S21")]
    public void The_ballot_promised_along_with_an_accept_fences_all_between()
    {
        var state = Step(AcceptorState.Absent(default), new Accept(B(2), Value(1), B(6))).Next;

        Assert.IsType<Conflict>(Step(state, new Prepare(B(5, 2), false)).Reply);
        Assert.IsType<Conflict>(Step(state, new Accept(B(5, 2), Value(2), B(7, 2))).Reply);
        Assert.IsType<Accepted>(Step(state, new Accept(B(6), Value(2), B(8))).Reply);
        Assert.IsType<Promise>(Step(state, new Prepare(B(6, 2), false)).Reply);
    }

    [Fact, Trait("Rule", "S11"), Trait("Rule", "S8b")]
    public void A_promise_that_tells_of_nothing_tells_the_horizon_and_not_the_floor()
    {
        Promise Of(AcceptorState state) => Assert.IsType<Promise>(
            Acceptor.On(state, new(B(5), B(4)), new Prepare(B(8), false), NoCeiling).Reply);

        Assert.Equal(B(4), Of(AcceptorState.Absent(B(5))).Horizon);
        Assert.Equal(B(4), Of(Held(B(6), Ballot.None, null)).Horizon);
        Assert.Equal(Ballot.None, Of(Held(B(6), B(3), Value(1))).Horizon);
        Assert.Equal(Ballot.None, Of(Held(B(6), B(3), Tombstone(1))).Horizon);
    }

    /// <summary>
    /// An acknowledgement tells the proposer that its next ballot is promised here (§2.2.1). Where the value was
    /// installed before, that promise is still missing and has to be made durable first.
    /// </summary>
    [Fact, Trait("Rule", "S14"), Trait("Rule", "S21")]
    public void An_acknowledged_accept_has_promised_its_next_ballot_also_where_the_value_was_installed_before()
    {
        var accept = new Accept(B(2), Value(1), B(6));
        var installed = Install(AcceptorState.Absent(default), B(2), Value(1));
        var step = Step(installed, accept);

        Assert.Equal(new Accepted(B(2)), step.Reply);
        Assert.Equal(Held(B(6), B(2), installed.Value), step.Next);
        Assert.Same(step.Next, Step(step.Next, accept).Next);
    }

    [Fact, Trait("Rule", "S14"), Trait("Rule", "S21")]
    public void An_accept_of_an_installed_value_below_a_later_promise_is_refused()
    {
        var installed = Held(B(4, 2), B(2), Value(1));
        var step = Step(installed, new Accept(B(2), Value(1), B(6)));

        Assert.Same(installed, step.Next);
        Assert.Equal(new Conflict(Phase.Accept, B(2), B(4, 2)), step.Reply);
    }

    [Fact, Trait("Rule", "S4")]
    public void A_round_above_the_ceiling_is_not_believed_in_any_field()
    {
        var absent = AcceptorState.Absent(default);
        const long ceiling = 10;

        Assert.IsType<Promise>(Acceptor.On(absent, default, new(B(10), false), ceiling).Reply);
        Assert.IsType<Accepted>(Acceptor.On(absent, new(B(10), Value(1), B(10, 2)), ceiling).Reply);
        AssertTooFar(Phase.Prepare, absent, Acceptor.On(absent, default, new(B(11), false), ceiling));
        AssertTooFar(Phase.Accept, absent, Acceptor.On(absent, new(B(11), Value(1), B(5)), ceiling));

        var step = Acceptor.On(absent, new(B(10), Value(1), B(11)), ceiling);
        Assert.Same(absent, step.Next);
        Assert.Equal(new TooFarAhead(Phase.Accept, B(10), ceiling), step.Reply);
    }

    [Fact, Trait("Rule", "S4")]
    public void A_held_ballot_above_the_ceiling_still_answers_with_what_to_beat()
    {
        // The clock went back by hours: what was accepted under the old clock stays, and its duplicate is known.
        var held = Held(B(50), B(40), Value(1));

        Assert.IsType<Accepted>(Acceptor.On(held, new(B(40), Value(1), B(50)), ceiling: 10).Reply);
        Assert.Equal(
            new Conflict(Phase.Prepare, B(45), B(50)), Acceptor.On(held, default, new(B(45), false), 10).Reply);
    }

    private static void AssertTooFar(Phase phase, AcceptorState state, AcceptorStep step)
    {
        Assert.Same(state, step.Next);
        Assert.Equal(new TooFarAhead(phase, B(11), 10), step.Reply);
    }

    private static void AssertForward(AcceptorState before, AcceptorState after)
    {
        Assert.True(after.Promised >= before.Promised);
        Assert.True(after.Accepted >= before.Accepted);
        Assert.True(after.Accepted > before.Accepted || after.Value == before.Value);
    }
}
