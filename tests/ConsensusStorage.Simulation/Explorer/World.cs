using System.Collections.Immutable;
using System.Diagnostics;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Simulation.Linearizability;
using Request = Orleans.Consensus.Paxos.Request;

namespace Orleans.Consensus.Simulation.Explorer;

/// <summary>A message under way: a request to an acceptor or a reply to a client.</summary>
/// <param name="IsCopy">It arrived before: a replica refuses it, and gives no acceptor's word on it.</param>
internal sealed record Packet(
    int Client, int Life, int Acceptor, Request? Request, Reply? Reply, bool IsCopy = false);

/// <summary>
/// Clients, acceptors and the messages between them, around the shipped Acceptor and Round. Immutable: every step
/// yields a new world, or throws <see cref="WorldViolationException"/> when a check fails.
/// </summary>
internal sealed partial record World(WorldRules Rules)
{
    public ImmutableArray<AcceptorState> Acceptors { get; private init; } =
        [.. Enumerable.Repeat(AcceptorState.Absent(Ballot.None), Rules.Acceptors)];

    public ImmutableArray<Client> Clients { get; private init; } =
        [.. Enumerable.Range(0, Rules.Scripts.Length).Select(index => new Client(index, 0))];

    public ImmutableArray<Packet> Packets { get; init; } = [];

    public ImmutableArray<Operation> History { get; private init; } = [];

    public Ledger Ledger { get; private init; } = new(Votes.QuorumOf(Rules.Acceptors), [], []);

    /// <summary>How many messages arrived and stayed under way all the same.</summary>
    public int Doubled { get; private init; }

    private int Now { get; init; }

    private long HighestRound { get; init; }

    public bool CanInvoke(int client) =>
        Clients[client].Round is null && Clients[client].Begun < Rules.Scripts[client].Length;

    public bool IsForRunningRound(Packet packet)
    {
        var client = Clients[packet.Client];
        var ballot = packet.Request?.Ballot ?? packet.Reply!.Ballot;
        var phase = packet.Request?.Phase ?? packet.Reply!.Phase;
        return client.Life == packet.Life && client.Round switch
        {
            Round.Preparing preparing => phase == Phase.Prepare && ballot == preparing.Start.Ballot,
            Round.Accepting accepting => phase == Phase.Accept && ballot == accepting.At,
            _ => false,
        };
    }

    /// <summary>The client begins the next operation of its script.</summary>
    public World Invoke(int index) => Invoke(index, Rules.Scripts[index][Clients[index].Begun]);

    public World Invoke(int index, OperationKind kind)
    {
        var client = Clients[index] with { Begun = Clients[index].Begun + 1, Tries = 0 };
        var change = client.Make(kind, client.Version());
        var expected = kind == OperationKind.Read ? null : client.Etag;
        var operation = new Operation(kind, change.Version, expected, change.InDoubt.Versions, Now);
        client = client with
        {
            Operation = History.Length,
            RoundsLeft = Rules.Rounds[index],
            WantPayload = kind == OperationKind.Read,
        };
        return (this with { History = History.Add(operation), Now = Now + 1 }).Begin(client, change, Ballot.None);
    }

    /// <summary>A packet arrives; a copy of it stays under way if it is duplicated.</summary>
    public World Deliver(Packet packet, bool duplicate = false)
    {
        var world = Take(packet, duplicate);
        if (packet.Reply is { } reply)
        {
            return world.Hear(packet, reply);
        }

        var (next, answer) = world.Answer(packet);
        return next with { Packets = next.Packets.Add(answer) };
    }

    /// <summary>A request arrives, and its reply at once or never.</summary>
    public World Exchange(Packet packet, bool replyIsLost, bool duplicate = false)
    {
        var (next, answer) = Take(packet, duplicate).Answer(packet);
        return replyIsLost ? next : next.Hear(answer, answer.Reply!);
    }

    /// <summary>The client waits no longer for the running round.</summary>
    public World GiveUp(int client) =>
        Finish(Clients[client], Clients[client].Round!.Abandoned(), Ballot.None);

    /// <summary>The client dies in whatever it does; its operation stays open.</summary>
    public World Crash(int client) => this with { Clients = Clients.SetItem(client, Clients[client].Reborn()) };

    /// <summary>Whether the request would change the acceptor if it arrived now.</summary>
    public bool Changes(int acceptor, Request request) =>
        !ReferenceEquals(Rules.Answer(Acceptors[acceptor], Floors[acceptor], request).Next, Acceptors[acceptor]);

    private World Take(Packet packet, bool duplicate) => duplicate
        ? this with { Doubled = Doubled + 1, Packets = Packets.Replace(packet, packet with { IsCopy = true }) }
        : this with { Packets = Packets.Remove(packet) };

    private (World Next, Packet Answer) Answer(Packet packet)
    {
        var before = Acceptors[packet.Acceptor];
        var step = Rules.Answer(before, Floors[packet.Acceptor], packet.Request!);
        var isBare = packet.Request is Prepare { WantPayload: false };
        var reply = isBare && step.Reply is Promise { Value: { } value } promise
            ? promise with { Value = WorldRules.Bare(value) }
            : packet.IsCopy && step.Reply is Conflict
                ? new NoAnswer(step.Reply.Phase, step.Reply.Ballot, "a copy")
                : step.Reply;
        var world = ReferenceEquals(before, step.Next) ? this : Become(packet.Acceptor, step.Next);
        return (world, packet with { Request = null, Reply = reply });
    }

    private World Become(int acceptor, AcceptorState after)
    {
        var before = Acceptors[acceptor];
        Fail(after.Promised < before.Promised || after.Accepted < before.Accepted, "An acceptor went back.");
        var ledger = after.Accepted == before.Accepted ? Ledger : Ledger.Accept(after.Accepted, acceptor);
        return this with { Acceptors = Acceptors.SetItem(acceptor, after), Ledger = ledger };
    }

    private World Hear(Packet packet, Reply reply)
    {
        var client = Clients[packet.Client];
        if (client.Life != packet.Life || client.Round is not { } round)
        {
            return this;
        }

        var step = Rules.Hear(round, packet.Acceptor, reply);
        if (ReferenceEquals(step.Round, round))
        {
            return this;
        }

        var source = round switch
        {
            Round.Preparing preparing when reply is Promise promise => Ballot.Max(preparing.Accepted, promise.Accepted),
            Round.Accepting accepting => accepting.At,
            _ => Ballot.None,
        };
        return step.Round is Round.Finished finished
            ? Finish(client, finished, source)
            : Send(client with { Round = step.Round }, step.Broadcast, source);
    }

    private World Begin(Client client, Change change, Ballot toBeat)
    {
        var source = new BallotSource(client.Id);
        var above = Math.Max(client.LastRound, Rules.IsClocked ? HighestRound : 0);
        var ballot = source.Next(0, Ballot.Max(toBeat, new(above, client.Id)));
        var next = source.Next(0, ballot);
        var settle = client.Version(client.Tries + 1);
        var step = Round.Begin(new(
            Rules.AcceptorsCounted, ballot, next, change, settle, client.Cached, client.WantPayload));
        var world = this with { HighestRound = Math.Max(HighestRound, next.Round) };
        client = client with
        {
            Round = step.Round,
            LastRound = next.Round,
            Tries = client.Tries + 1,
            RoundsLeft = client.RoundsLeft - 1,
            Cached = Rules.KeepsPromise ? client.Cached : null,
        };
        return world.Send(client, step.Broadcast, client.CachedAt);
    }

    private World Send(Client client, Request? broadcast, Ballot source)
    {
        var world = this with { Clients = Clients.SetItem(client.Index, client) };
        if (broadcast is null)
        {
            return world;
        }

        var ledger = broadcast is Accept accept
            ? Ledger.Propose(accept.Ballot, accept.Value.Version, source)
            : Ledger;
        var packets = Enumerable.Range(0, Acceptors.Length)
            .Select(acceptor => new Packet(client.Index, client.Life, acceptor, broadcast, null));
        return world with { Ledger = ledger, Packets = Packets.AddRange(packets) };
    }

    private World Finish(Client client, Round.Finished finished, Ballot source)
    {
        var isRuledOut = client.Round is Round.Accepting { Start.Change: var sent } accepting
            && accepting.Value.Version == sent.Version
            && finished.Outcome is RoundOutcome.Refused
            && !finished.After.InDoubt.Versions.Contains(sent.Version);
        var world = isRuledOut
            ? this with { Ledger = Ledger.RuleOut(((Round.Accepting)client.Round!).At) }
            : this;
        return world.Conclude(client, finished, source);
    }

    private World Conclude(Client client, Round.Finished finished, Ballot source)
    {
        switch (finished.Outcome)
        {
            case RoundOutcome.Settled settled:
                var cached = client with { Cached = settled.Promise, CachedAt = source };
                return Respond(cached, settled.Result, finished.After);
            case RoundOutcome.PayloadMissing:
                var wanting = client with { WantPayload = true, RoundsLeft = client.RoundsLeft + 1 };
                return Begin(wanting, Rules.Retry(finished.After), Ballot.None);
            case RoundOutcome.Refused refused when client.RoundsLeft > 0:
                return Begin(client, Rules.Retry(finished.After), refused.ToBeat);
            case RoundOutcome.Refused:
                var change = finished.After;
                var inDoubt = change.InDoubt.Versions.Contains(change.Version) && !Rules.SaysNeverWhenRefused;
                return End(client with { Doubt = change.InDoubt }, inDoubt ? Ending.Maybe : Ending.Never, null);
            default:
                throw new UnreachableException();
        }
    }

    private World Respond(Client client, ChangeResult result, Change change)
    {
        switch (result)
        {
            case ChangeResult.Applied applied:
                Fail(applied.Version is { } version && !Ledger.Applied.Contains(version), "Applied, and not chosen.");
                return Settle(client, change, applied.Version).End(client, Ending.Applied, null);
            case ChangeResult.Found found:
                return Settle(client, change, Visible(found.Value, needsPayload: true))
                    .End(client, Ending.Found, Visible(found.Value));
            case ChangeResult.Stale stale:
                Fail(
                    !stale.MayHaveHappened && Ledger.MayTakeEffect(change.Version),
                    "Stale for sure, and yet proposed.");
                return Settle(client, change, Visible(stale.Current)).End(
                    client, stale.MayHaveHappened ? Ending.StaleAfterDoubt : Ending.Stale, Visible(stale.Current));
            case ChangeResult.Unknown unknown:
                Fail(
                    WasOneAbsence(client.Round?.Start.Settle),
                    "An outcome is unknown, though there was never more than one absence.");
                return End(client with { Doubt = unknown.InDoubt }, Ending.Maybe, null);
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>No tombstone was ever made, but the one that settles what is unknown, nor dropped.</summary>
    private bool WasOneAbsence(RegisterVersion? settle)
    {
        var writes = History.Where(operation => operation.Kind == OperationKind.Write)
            .Select(operation => operation.Version)
            .ToHashSet();
        return Collector.Orders.IsEmpty && Ledger.Proposals.All(proposal =>
            writes.Contains(proposal.Version) || proposal.Version == settle);
    }

    /// <summary>The outcome is known: what was in doubt has taken effect by now or never will (S7).</summary>
    private World Settle(Client client, Change change, RegisterVersion? etag)
    {
        var settled = client with { Etag = etag, Doubt = InDoubt.None };
        var doubts = change.InDoubt.Versions;
        var history = History.Select(
            operation => operation.Returned == Operation.Open && doubts.Contains(operation.Version)
                ? operation with { Returned = Now }
                : operation);
        return this with
        {
            Clients = Clients.SetItem(client.Index, settled),
            Ledger = Ledger.Bury(doubts),
            History = doubts.IsEmpty ? History : [.. history],
            Now = Now + 1,
        };
    }

    private World End(Client client, Ending ending, RegisterVersion? seen)
    {
        var settled = ending is Ending.Maybe or Ending.Never ? client : Clients[client.Index];
        var operation = History[client.Operation] with { Ending = ending, Seen = seen };
        Fail(ending == Ending.Never && operation.Kind != OperationKind.Read && Ledger.MayTakeEffect(operation.Version),
            $"{operation} and yet proposed.");
        var returned = ending == Ending.Maybe ? Operation.Open : Now;
        var idle = settled with { Round = null, Cached = client.Cached, CachedAt = client.CachedAt };
        var history = History.SetItem(client.Operation, operation with { Returned = returned });
        Fail(!HistoryChecker.IsLinearizable(history, mayForget: !Ledger.Dropped.IsEmpty),
            "The history can't be explained:\n" + string.Join('\n', history.Select(each => each.ToString())));
        return this with { Clients = Clients.SetItem(client.Index, idle), History = history, Now = Now + 1 };
    }

    private static RegisterVersion? Visible(RegisterValue? value, bool needsPayload = false)
    {
        if (value is not { IsTombstone: false })
        {
            return null;
        }

        var isOwn = value.Payload is TaggedPayload payload && payload.Version == value.Version;
        Fail(needsPayload && !isOwn, "A read returned bytes of another version.");
        return value.Version;
    }

    private static void Fail(bool failed, string message)
    {
        if (failed)
        {
            throw new WorldViolationException(message);
        }
    }
}
