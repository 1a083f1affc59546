using System.Collections.Immutable;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Simulation.Linearizability;
using Request = Orleans.Consensus.Paxos.Request;

namespace Orleans.Consensus.Simulation.Explorer;

/// <summary>
/// What a world is made of. The defaults are the shipped code; a negative control replaces one piece by a broken one.
/// </summary>
internal sealed record WorldRules
{
    public int Acceptors { get; init; } = 3;

    /// <summary>What a round believes to be the number of acceptors.</summary>
    public int AcceptorsCounted { get; init; } = 3;

    /// <summary>What each client does, one after the other.</summary>
    public ImmutableArray<ImmutableArray<OperationKind>> Scripts { get; init; } = [];

    /// <summary>Rounds that each client spends on one operation.</summary>
    public ImmutableArray<int> Rounds { get; init; } = [];

    /// <summary>A new round is above all rounds ever made, as clocks do; else above what its maker knows.</summary>
    public bool IsClocked { get; init; } = true;

    public Func<AcceptorState, GroupFloor, Request, AcceptorStep> Answer { get; init; } = Step;

    public Func<Round, int, Reply, RoundStep> Hear { get; init; } =
        static (round, replica, reply) => round.On(replica, reply);

    /// <summary>The change that the next round takes up after a refused one.</summary>
    public Func<Change, Change> Retry { get; init; } = static after => after;

    /// <summary>Whether a client keeps its cached promise when a round has used it (against S21, S1).</summary>
    public bool KeepsPromise { get; init; }

    /// <summary>Whether a refused accept is said not to be applied (against S6).</summary>
    public bool SaysNeverWhenRefused { get; init; }

    /// <summary>How an acceptor takes a copy, above its horizon.</summary>
    public Func<AcceptorState, GroupFloor, Copy, AcceptorState> Install { get; init; } =
        static (state, floor, copy) => Acceptor.Install(state, floor, copy.At, copy.Value, copy.Seen);

    /// <summary>How an acceptor drops a tombstone, at its floor.</summary>
    public Func<AcceptorState, GroupFloor, Order, AcceptorState?> Drop { get; init; } =
        static (state, floor, order) => Acceptor.Drop(state, floor, order.Accepted, order.Tombstone);

    /// <summary>Whether an acceptor forgets what it holds when its floor has risen (S11).</summary>
    public Func<AcceptorState, Ballot, bool> Forgets { get; init; } =
        static (state, floor) => state.IsCoveredBy(floor);

    /// <summary>How many acceptors have to report a tombstone (S12 a: all).</summary>
    public int Reporters { get; init; } = 3;

    /// <summary>Nothing is dropped before all floors are raised (S12 b).</summary>
    public bool WaitsForFloors { get; init; } = true;

    /// <summary>Horizons are raised above all that were there (S12 b), and not just to the tombstone.</summary>
    public bool FloorIsFresh { get; init; } = true;

    /// <summary>Runs the shipped acceptor on one request as the shell would, whatever the clock says.</summary>
    public static AcceptorStep Step(AcceptorState state, GroupFloor floor, Request request) => request switch
    {
        Prepare prepare => Acceptor.On(state, floor, prepare, long.MaxValue),
        Accept accept => Acceptor.On(state, accept, long.MaxValue),
        _ => throw new ArgumentOutOfRangeException(nameof(request)),
    };

    /// <summary>The value as a promise tells it to who has not asked for the payload.</summary>
    public static RegisterValue Bare(RegisterValue value) =>
        value.IsTombstone ? value : value with { Payload = Payload.Omitted };

    /// <summary>The same with another number of acceptors.</summary>
    public WorldRules Of(int acceptors) =>
        this with { Acceptors = acceptors, AcceptorsCounted = acceptors, Reporters = acceptors };

    public static ImmutableArray<OperationKind> Script(string letters) =>
    [
        .. letters.Select(letter => letter switch
        {
            'r' => OperationKind.Read,
            'w' => OperationKind.Write,
            'c' => OperationKind.Clear,
            _ => throw new ArgumentOutOfRangeException(nameof(letters)),
        }),
    ];
}

/// <summary>The checks of a world failed: the message says which.</summary>
internal sealed class WorldViolationException(string message) : Exception(message);

/// <summary>A payload that knows which change it belongs to.</summary>
internal sealed class TaggedPayload(RegisterVersion version) : Payload
{
    public RegisterVersion Version => version;

    public override bool Equals(object? obj) => obj is TaggedPayload other && other.Version == version;

    public override int GetHashCode() => version.GetHashCode();
}
