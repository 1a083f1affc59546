using System.Collections.Immutable;
using Orleans.Consensus.Paxos;

namespace Orleans.Consensus.Simulation.Explorer;

/// <summary>A value that a quorum told, with its highest horizon, on the way to acceptors that missed it.</summary>
internal readonly record struct Copy(Ballot At, RegisterValue Value, Ballot Seen);

/// <summary>
/// What is done behind the clients' backs: chosen values are copied, tombstones are collected, promises forgotten.
/// </summary>
internal sealed partial record World
{
    public ImmutableArray<GroupFloor> Floors { get; private init; } =
        [.. Enumerable.Repeat(default(GroupFloor), Rules.Acceptors)];

    /// <summary>How often an acceptor raised its floor of its own accord.</summary>
    public int RaisedAlone { get; private init; }

    public Collector Collector { get; private init; } =
        new([.. Enumerable.Repeat((Report?)null, Rules.Acceptors)], []);

    /// <summary>Copies under way; each may arrive anywhere, any time, and again.</summary>
    public ImmutableArray<Copy> Copies { get; private init; } = [];

    /// <summary>A world whose register was cleared long ago, as all acceptors know.</summary>
    public static World Cleared(WorldRules rules)
    {
        var writer = new ProposerId((UInt128)Client.MaxClients);
        var (at, next) = (new Ballot(1, writer), new Ballot(2, writer));
        var tombstone = new RegisterValue(new(writer, 1), Payload: null);
        var world = new World(rules);
        return world with
        {
            Acceptors = [.. world.Acceptors.Select(_ => new AcceptorState(next, at, tombstone))],
            Ledger = world.Ledger with
            {
                Proposals = [new(at, tombstone.Version, Ballot.None, (1u << rules.Acceptors) - 1)],
                Applied = [tombstone.Version],
            },
            HighestRound = next.Round,
        };
    }

    /// <summary>The value held at <paramref name="ballot"/> as a uniform quorum tells it, if one does.</summary>
    public Copy? Look(Ballot ballot)
    {
        var all = Enumerable.Range(0, Acceptors.Length);
        var holders = all.Where(index => Acceptors[index].Accepted == ballot).ToList();
        return holders.Count >= Votes.QuorumOf(Acceptors.Length) && Acceptors[holders[0]].Value is { } value
            ? new(ballot, value, holders.Max(holder => Floors[holder].Horizon))
            : null;
    }

    /// <summary>A copy of a chosen value is made (S14).</summary>
    public World Note(Copy copy) => this with { Copies = Copies.Add(copy) };

    /// <summary>A copy arrives.</summary>
    public World Install(int acceptor, Copy copy)
    {
        var before = Acceptors[acceptor];
        var after = Rules.Install(before, Floors[acceptor], copy);
        return ReferenceEquals(before, after) ? this : Become(acceptor, after);
    }

    /// <summary>An acceptor tells the collector what it holds (S12 a).</summary>
    public World Report(int acceptor)
    {
        var collector = Collector.Hear(acceptor, Acceptors[acceptor], Floors[acceptor].Horizon);
        return collector.Reports.Count(report => report is not null) < Rules.Reporters
            ? this with { Collector = collector }
            : Decide(collector);
    }

    /// <summary>Other registers of the group have tombstones to drop: all floors are to be raised for them.</summary>
    public World OrderForOthers()
    {
        var floor = FloorAbove(Floors.Max(floor => floor.Horizon).Round);
        var order = new Order(Ballot.None, default, floor);
        return this with
        {
            Collector = Collector with { Orders = Collector.Orders.Add(order), ForOthers = Collector.ForOthers + 1 },
            HighestRound = Math.Max(HighestRound, floor.Round),
        };
    }

    /// <summary>An acceptor raises its floor and horizon as ordered (S12 b).</summary>
    public World Raise(int acceptor, Order order) =>
        Stand(acceptor, Acceptor.RaiseHorizon(Floors[acceptor], order.Floor));

    /// <summary>
    /// The ballots that an acceptor's floor may rise to for the sake of other registers of the group, which have
    /// promises of their own: one in between, and one above all.
    /// </summary>
    public IEnumerable<Ballot> FloorsAlone(int acceptor)
    {
        var held = Acceptors.Select(state => state.Highest).Append(FloorAbove(0));
        return held.Where(ballot => ballot > Floors[acceptor].Floor).Distinct();
    }

    /// <summary>An acceptor raises its floor of its own accord, and forgets what it covers (S11).</summary>
    public World RaiseAlone(int acceptor, Ballot to)
    {
        var world = Stand(acceptor, Acceptor.RaiseFloor(Floors[acceptor], to));
        return world with { RaisedAlone = RaisedAlone + 1, HighestRound = Math.Max(HighestRound, to.Round) };
    }

    /// <summary>Whether all that has to be done before dropping is done.</summary>
    public bool IsDue(Order order) =>
        !Rules.WaitsForFloors || Floors.All(floor => floor.Horizon >= order.Floor);

    /// <summary>What is left of the register when an acceptor drops a tombstone as ordered (S12 c).</summary>
    public AcceptorState? AfterDrop(int acceptor, Order order) =>
        Rules.Drop(Acceptors[acceptor], Floors[acceptor], order);

    /// <summary>An acceptor drops a tombstone.</summary>
    public World Drop(int acceptor, Order order) => AfterDrop(acceptor, order) is not null ? this : this with
    {
        Acceptors = Acceptors.SetItem(acceptor, AcceptorState.Absent(Floors[acceptor].Floor)),
        Ledger = Ledger.Drop(order.Accepted),
    };

    private World Stand(int acceptor, GroupFloor floor)
    {
        var isForgotten = Rules.Forgets(Acceptors[acceptor], floor.Floor);
        return this with
        {
            Floors = Floors.SetItem(acceptor, floor),
            Acceptors = isForgotten
                ? Acceptors.SetItem(acceptor, AcceptorState.Absent(floor.Floor))
                : Acceptors,
        };
    }

    private World Decide(Collector collector)
    {
        var reports = collector.Reports.Where(report => report is not null).Select(report => report!.Value).ToList();
        var highest = reports.Max(report => Math.Max(report.Horizon.Round, report.Accepted.Round));
        var floor = Rules.FloorIsFresh ? FloorAbove(highest) : reports[0].Accepted;
        return this with { Collector = collector.Decide(floor), HighestRound = Math.Max(HighestRound, floor.Round) };
    }

    private Ballot FloorAbove(long round)
    {
        var known = Rules.IsClocked ? HighestRound : Acceptors.Max(state => state.Highest.Round);
        return new(1 + Math.Max(round, known), Collector.Id);
    }
}
