using Orleans.Consensus.Paxos;
using Request = Orleans.Consensus.Paxos.Request;

namespace Orleans.Consensus.Tests.Paxos;

/// <summary>Negative controls: each breaks one rule in a copy of its own, and the walks have to notice.</summary>
public sealed class BrokenWorldTests(ITestOutputHelper output)
{
    private const int Seeds = 6_000;

    private static readonly Dictionary<string, WorldRules> Broken = new()
    {
        ["S3: an accept below the promise is taken"] = new() { Answer = AcceptBelowPromise },
        ["S3: an accept below the accepted is taken"] = new() { Answer = AcceptBelowAccepted },
        ["S5: a promise is forgotten"] = new() { Answer = ForgetPromise },
        ["S5: the accepted ballot is promised to nobody"] = new() { Answer = ForgetNext },
        ["half of four is a quorum"] = new() { Acceptors = 4, Reporters = 4, AcceptorsCounted = 3, Hear = HearOfThree },
        ["one of three is a quorum"] = new() { AcceptorsCounted = 1, Hear = HearOfOne },
        ["S9: a differing read is not written back"] = new() { Hear = ReadWithoutWriteBack },
        ["S10: a differing compare is not written back"] = new() { Hear = StaleWithoutWriteBack },
        ["S7: a retry forgets what is in doubt"] =
            new() { Retry = static after => after with { InDoubt = InDoubt.None } },
        ["S7: a uniform read settles what is in doubt without writing back"] = new() { Hear = ReadOfOneMind },
        ["S8b: a retry forgets which absence it saw"] =
            new() { Hear = HearAnyAbsence },
        ["S6: refused counts as not applied"] = new() { SaysNeverWhenRefused = true },
        ["S21: a cached promise is used again"] = new() { KeepsPromise = true },
        ["S22: an answer to another round counts"] = new() { Hear = HearStrangers },
        ["the first promise decides and not the highest"] = new() { Hear = HearNothingAccepted },
    };

    public static TheoryData<string> Controls => [.. Broken.Keys];

    [Theory]
    [MemberData(nameof(Controls))]
    public void A_broken_protocol_is_caught(string control)
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            try
            {
                _ = new RandomWalk(Broken[control], seed, clients: 2 + (seed % 2)).Run();
            }
            catch (Exception error) when (error is WorldViolationException or ProtocolViolationException)
            {
                output.WriteLine($"caught at seed {seed}: {error.Message}");
                return;
            }
        }

        Assert.Fail($"Nothing was noticed in {Seeds} walks.");
    }

    private static AcceptorStep AcceptBelowPromise(AcceptorState state, GroupFloor floor, Request request)
    {
        if (request is not Accept)
        {
            return WorldRules.Step(state, floor, request);
        }

        var step = WorldRules.Step(state with { Promised = Ballot.None }, floor, request);
        return step with { Next = step.Next with { Promised = Ballot.Max(state.Promised, step.Next.Promised) } };
    }

    private static AcceptorStep AcceptBelowAccepted(AcceptorState state, GroupFloor floor, Request request) =>
        request is Accept accept && accept.Ballot < state.Accepted
            ? new(state with { Value = accept.Value }, new Accepted(accept.Ballot))
            : WorldRules.Step(state, floor, request);

    private static AcceptorStep ForgetPromise(AcceptorState state, GroupFloor floor, Request request)
    {
        var step = WorldRules.Step(state, floor, request);
        return request is Prepare ? step with { Next = state } : step;
    }

    private static AcceptorStep ForgetNext(AcceptorState state, GroupFloor floor, Request request) => WorldRules.Step(
        state, floor, request is Accept accept ? accept with { Next = accept.Ballot } : request);

    private static RoundStep HearOfThree(Round round, int replica, Reply reply) =>
        replica > 2 && reply is Conflict ? new(round, null) : round.On(replica, reply);

    private static RoundStep HearOfOne(Round round, int replica, Reply reply) =>
        reply is Conflict ? new(round, null) : round.On(replica, reply);

    private static RoundStep ReadWithoutWriteBack(Round round, int replica, Reply reply) =>
        WithoutWriteBack(round, round.On(replica, reply), static change => change is Change.Read);

    private static RoundStep StaleWithoutWriteBack(Round round, int replica, Reply reply) =>
        WithoutWriteBack(round, round.On(replica, reply), static change => change is not Change.Read);

    private static RoundStep WithoutWriteBack(Round before, RoundStep step, Func<Change, bool> applies)
    {
        var isWriteBack = before is Round.Preparing && step.Round is Round.Accepting accepting
            && accepting.Value.Version != before.Start.Change.Version && applies(before.Start.Change);
        if (!isWriteBack)
        {
            return step;
        }

        var at = (Round.Accepting)step.Round;
        var outcome = new RoundOutcome.Settled(at.Result, new(at.At, Examples.Bare(at.Value)), OneRoundTrip: true);
        return new(new Round.Finished(at.Start, at.After, outcome), null);
    }

    private static RoundStep ReadOfOneMind(Round round, int replica, Reply reply)
    {
        var isUniform = round is Round.Preparing { Uniform: true } preparing && reply is Promise promise
            && promise.Accepted == preparing.Accepted;
        return isUniform ? ReadWithoutWriteBack(round, replica, reply) : round.On(replica, reply);
    }

    /// <summary>Takes whatever absence it finds for the one that the first attempt saw.</summary>
    private static RoundStep HearAnyAbsence(Round round, int replica, Reply reply)
    {
        if (round is not Round.Preparing preparing || reply is not Promise promise)
        {
            return round.On(replica, reply);
        }

        var change = preparing.Start.Change;
        var found = promise.Accepted > preparing.Accepted ? promise.Value : preparing.Value;
        var bound = change.InDoubt with { Binding = new Absence(found?.Version) };
        var doubt = change.InDoubt.IsNone ? change.InDoubt : bound;
        var misled = preparing with { Start = preparing.Start with { Change = change with { InDoubt = doubt } } };
        return misled.On(replica, reply);
    }

    private static RoundStep HearStrangers(Round round, int replica, Reply reply) => round switch
    {
        Round.Preparing preparing => round.On(replica, reply with { Ballot = preparing.Start.Ballot }),
        Round.Accepting accepting => round.On(replica, reply with { Ballot = accepting.At }),
        _ => new(round, null),
    };

    private static RoundStep HearNothingAccepted(Round round, int replica, Reply reply) =>
        round is Round.Preparing { Votes.Yes: not 0 } preparing && reply is Promise promise
            ? round.On(replica, promise with { Accepted = preparing.Accepted, Value = preparing.Value })
            : round.On(replica, reply);
}
