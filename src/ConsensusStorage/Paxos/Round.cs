using System.Collections.Immutable;
using System.Diagnostics;
using System.Numerics;

namespace Orleans.Consensus.Paxos;

/// <summary>What a round starts from.</summary>
/// <param name="Replicas">Number of acceptors.</param>
/// <param name="Ballot">Fresh; used if the round has to prepare.</param>
/// <param name="Next">
/// Fresh and above <paramref name="Ballot"/> and any cached promise; asked for with the accept.
/// </param>
/// <param name="Change">What is to be done.</param>
/// <param name="Settle">Fresh; names the tombstone that settles an absence, never a change's own value.</param>
/// <param name="Cached">A promise that a quorum gave for this register; consumed by this round (S21).</param>
/// <param name="WantPayload">Ask for the payload with the promise.</param>
internal sealed record RoundStart(
    int Replicas,
    Ballot Ballot,
    Ballot Next,
    Change Change,
    RegisterVersion Settle,
    CachedPromise? Cached,
    bool WantPayload);

/// <summary>
/// A quorum promised <paramref name="Ballot"/> while <paramref name="Current"/> (payload left out; null or a tombstone
/// for "no state") was chosen.
/// </summary>
internal sealed record CachedPromise(Ballot Ballot, RegisterValue? Current);

/// <summary>The round after a step, and what it has to send to every acceptor now, if anything.</summary>
internal readonly record struct RoundStep(Round Round, Request? Broadcast);

/// <summary>How a round ended.</summary>
internal abstract record RoundOutcome
{
    /// <summary>A quorum stands behind the result, and has promised <paramref name="Promise"/>.</summary>
    /// <param name="OneRoundTrip">It took one phase only: an accept on a cached promise, or a uniform read.</param>
    public sealed record Settled(ChangeResult Result, CachedPromise Promise, bool OneRoundTrip) : RoundOutcome;

    /// <summary>No quorum agrees any more.</summary>
    /// <param name="ToBeat">A quorum can be won above this ballot.</param>
    /// <param name="Conflicted">A ballot stood in the way; otherwise answers were missing.</param>
    public sealed record Refused(Ballot ToBeat, bool Conflicted) : RoundOutcome
    {
        /// <summary>The same if those that have not answered yet never will.</summary>
        public Ballot ToBeatWithoutTheSilent { get; init; }
    }

    /// <summary>A value has to be returned or written back whose payload was not asked for.</summary>
    public sealed record PayloadMissing : RoundOutcome;
}

/// <summary>
/// One proposer's round for one change: prepare, decide, accept (CASPaxos §2.2), or accept at once on a cached promise
/// (§2.2.1). Pure and immutable: a step takes one reply and yields the next state. A retry is a new round (S1).
/// </summary>
internal abstract record Round(RoundStart Start)
{
    /// <summary>No ballots, for each number of acceptors: shared, because most rounds meet none.</summary>
    private static readonly ImmutableArray<ImmutableArray<Ballot>> Empty =
        [.. Enumerable.Range(0, ReplicaSet.MaxReplicas + 1).Select(count => ImmutableArray.Create(new Ballot[count]))];

    /// <summary>
    /// The change as its owner must see it from here on: in doubt once an Accept of its own value went out (S6).
    /// </summary>
    public virtual Change ChangeAfter => Start.Change;

    /// <summary>
    /// No quorum can come any more, but an acceptor may still say something: if it refuses like all the others, the
    /// value is not in doubt. Worth a moment's wait, no more.
    /// </summary>
    public virtual bool IsLost => false;

    /// <summary>
    /// Begins. A cached promise is used only to put a value: no answer comes from memory (S9, S10). And only over a
    /// value: an absence that is out of date would bind the change to it for good (S8b), and its outcome could not be
    /// told although no other change was under way.
    /// </summary>
    public static RoundStep Begin(RoundStart start)
    {
        if (start.Cached is { Current: { IsTombstone: false } current } cached
            && start.Change.Apply(current, default) is Decision.Put put)
        {
            var result = put.ToResult(start.Change, current);
            var attempted = start.Change.Attempted(current, default);
            return Accepting.Begin(start, cached.Ballot, put.Value, attempted, result, oneRoundTrip: true);
        }

        var round = new Preparing(
            start, Votes.Of(start.Replicas), Ballot.None, null, Ballot.None, Uniform: true, NoBallots(start.Replicas));
        return new(round, new Prepare(start.Ballot, start.WantPayload));
    }

    /// <summary>Takes one reply. Late, repeated and foreign ones change nothing (S22).</summary>
    public abstract RoundStep On(int replica, Reply reply);

    /// <summary>
    /// Ends the round where it stands, as if those who have not answered never will. What it sent may still be
    /// accepted.
    /// </summary>
    public abstract Finished Abandoned();

    private static ImmutableArray<Ballot> NoBallots(int replicas) => Empty[replicas];

    private static ImmutableArray<Ballot> Note(ImmutableArray<Ballot> held, int replica, Reply reply) => reply switch
    {
        Conflict conflict when conflict.ToBeat.Round <= Ballot.MaxRound => held.SetItem(replica, conflict.ToBeat),
        Conflict or NoAnswer or TooFarAhead => held.SetItem(replica, Ballot.Unreachable),
        _ => held,
    };

    private static RoundOutcome.Refused Refusal(ImmutableArray<Ballot> held, Votes votes)
    {
        var answered = held.Select((ballot, index) => votes.HasVoted(index) ? ballot : Ballot.Unreachable).ToArray();
        return new(Votes.ToBeat(held.AsSpan()), held.Any(ballot => !ballot.IsNone && ballot != Ballot.Unreachable))
        {
            ToBeatWithoutTheSilent = Votes.ToBeat(answered),
        };
    }

    /// <summary>Phase 1.</summary>
    /// <param name="Accepted">The highest accepted ballot reported so far.</param>
    /// <param name="Value">Its value.</param>
    /// <param name="Farthest">The highest horizon reported so far.</param>
    /// <param name="Uniform">All promises so far reported the same accepted ballot.</param>
    /// <param name="Held">What refusing acceptors hold.</param>
    internal sealed record Preparing(
        RoundStart Start,
        Votes Votes,
        Ballot Accepted,
        RegisterValue? Value,
        Ballot Farthest,
        bool Uniform,
        ImmutableArray<Ballot> Held) : Round(Start)
    {
        public override RoundStep On(int replica, Reply reply)
        {
            if (Votes.HasVoted(replica) || reply.Phase != Phase.Prepare || reply.Ballot != Start.Ballot)
            {
                return new(this, null);
            }

            var next = reply is Promise promise
                ? WithPromise(replica, promise)
                : this with { Votes = Votes.With(replica, yes: false), Held = Note(Held, replica, reply) };
            return next.Votes.Verdict switch
            {
                Verdict.Pending => new(next, null),
                Verdict.Won => next.Decide(),
                Verdict.Lost => new(new Finished(Start, Start.Change, Refusal(next.Held, next.Votes)), null),
                _ => throw new UnreachableException(),
            };
        }

        public override Finished Abandoned() => new(Start, Start.Change, Refusal(Held, Votes));

        /// <summary>From where an absence is seen: the highest horizon of the quorum.</summary>
        private Horizon Horizon => Value is null ? new(Farthest.Round, Farthest.Proposer) : default;

        private Preparing WithPromise(int replica, Promise promise)
        {
            var first = Votes.Yes == 0;
            var votes = Votes.With(replica, yes: true);
            var farthest = Ballot.Max(Farthest, promise.Horizon);
            if (promise.Accepted > Accepted)
            {
                return this with
                {
                    Votes = votes,
                    Accepted = promise.Accepted,
                    Value = promise.Value,
                    Farthest = farthest,
                    Uniform = first,
                };
            }

            if (promise.Accepted < Accepted)
            {
                return this with { Votes = votes, Farthest = farthest, Uniform = false };
            }

            ProtocolViolationException.ThrowIf(
                promise.Value?.Version != Value?.Version, "Two values were accepted at one ballot.");
            return this with { Votes = votes, Farthest = farthest };
        }

        private RoundStep Decide()
        {
            var decision = Start.Change.Apply(Value, Horizon);
            var result = decision.ToResult(Start.Change, Value);
            if (decision is Decision.Put put)
            {
                var attempted = Start.Change.Attempted(Value, Horizon);
                return Accepting.Begin(Start, Start.Ballot, put.Value, attempted, result, oneRoundTrip: false);
            }

            if (decision is Decision.Keep && Value?.Payload == Payload.Omitted)
            {
                return new(new Finished(Start, Start.Change, new RoundOutcome.PayloadMissing()), null);
            }

            // S9, S10: only a quorum that reports one accepted ballot makes the value known as chosen. S7: with
            // versions in doubt even that is not enough, one of them may still be adopted from a minority.
            if (Uniform && Start.Change.InDoubt.IsNone)
            {
                var promise = new CachedPromise(Start.Ballot, WithoutPayload(Value));
                return new(
                    new Finished(Start, Start.Change, new RoundOutcome.Settled(result, promise, OneRoundTrip: true)),
                    null);
            }

            return WriteBack(result);
        }

        private RoundStep WriteBack(ChangeResult result)
        {
            var value = Value ?? new RegisterValue(Start.Settle, Payload: null);
            return value.Payload == Payload.Omitted
                ? new(new Finished(Start, Start.Change, new RoundOutcome.PayloadMissing()), null)
                : Accepting.Begin(Start, Start.Ballot, value, Start.Change, result, oneRoundTrip: false);
        }
    }

    /// <summary>Phase 2.</summary>
    /// <param name="At">The ballot asked to be accepted.</param>
    /// <param name="Value">The value asked to be accepted.</param>
    /// <param name="After">The change, in doubt if <paramref name="Value"/> is its own.</param>
    /// <param name="Result">What it comes to if a quorum accepts.</param>
    /// <param name="Held">What refusing acceptors hold.</param>
    /// <param name="Refusals">The acceptors that refused, as a mask; no answer is no refusal.</param>
    internal sealed record Accepting(
        RoundStart Start,
        Ballot At,
        RegisterValue Value,
        Change After,
        ChangeResult Result,
        bool OneRoundTrip,
        Votes Votes,
        ImmutableArray<Ballot> Held,
        uint Refusals = 0) : Round(Start)
    {
        /// <summary>
        /// In doubt, unless every acceptor has refused: each looks at a request once, so none of them has accepted it
        /// or ever will (S6).
        /// </summary>
        public override Change ChangeAfter =>
            BitOperations.PopCount(Refusals) == Start.Replicas ? Start.Change : After;

        /// <summary>Refused on a cached promise, and the others may have refused, too.</summary>
        public override bool IsLost => OneRoundTrip && Votes.Verdict == Verdict.Lost && !Votes.AreComplete;

        public static RoundStep Begin(
            RoundStart start, Ballot at, RegisterValue value, Change after, ChangeResult result, bool oneRoundTrip)
        {
            var votes = Votes.Of(start.Replicas);
            var round = new Accepting(
                start, at, value, after, result, oneRoundTrip, votes, NoBallots(start.Replicas));
            return new(round, new Accept(at, value, start.Next));
        }

        public override RoundStep On(int replica, Reply reply)
        {
            if (Votes.HasVoted(replica) || reply.Phase != Phase.Accept || reply.Ballot != At)
            {
                return new(this, null);
            }

            var next = this with
            {
                Votes = Votes.With(replica, reply is Accepted),
                Held = Note(Held, replica, reply),
                Refusals = reply is Conflict or TooFarAhead ? Refusals | (1u << replica) : Refusals,
            };
            return next.Votes.Verdict switch
            {
                Verdict.Pending => new(next, null),
                Verdict.Won => new(new Finished(Start, After, Success()), null),
                Verdict.Lost => new(next.IsLost ? next : next.Abandoned(), null),
                _ => throw new UnreachableException(),
            };
        }

        public override Finished Abandoned() => new(Start, ChangeAfter, Refusal(Held, Votes));

        private RoundOutcome.Settled Success() =>
            new(Result, new CachedPromise(Start.Next, WithoutPayload(Value)), OneRoundTrip);
    }

    /// <summary>Over: further replies change nothing.</summary>
    internal sealed record Finished(RoundStart Start, Change After, RoundOutcome Outcome) : Round(Start)
    {
        public override Change ChangeAfter => After;

        public override RoundStep On(int replica, Reply reply) => new(this, null);

        public override Finished Abandoned() => this;
    }

    private static RegisterValue? WithoutPayload(RegisterValue? value) =>
        value is { IsTombstone: false } ? value with { Payload = Payload.Omitted } : value;
}
