using System.Collections.Immutable;
using Orleans.Consensus.Simulation.Linearizability;
using static Orleans.Consensus.Tests.Paxos.Examples;

namespace Orleans.Consensus.Tests.Linearizability;

/// <summary>Known good and known bad histories, so that the checker can't rot into "yes".</summary>
public sealed class HistoryCheckerTests
{
    public static TheoryData<string> GoodOnes => [.. Good.Keys];

    public static TheoryData<string> BadOnes => [.. Bad.Keys];

    private static readonly Dictionary<string, Operation[]> Good = new()
    {
        ["nothing"] = [],
        ["a read of nothing"] = [Found(1, 2, null)],
        ["write then read"] = [Write(1, 2, 7), Found(3, 4, 7)],
        ["a read during a write sees it or not"] = [Write(1, 6, 7), Found(2, 3, null), Found(4, 5, 7)],
        ["an unknown write that never happens"] = [Maybe(1, Operation.Open, 7), Found(2, 3, null), Write(4, 5, 8)],
        ["an unknown write that happens late"] = [Maybe(1, Operation.Open, 7), Found(2, 3, null), Found(4, 5, 7)],
        ["clear and write again"] = [Write(1, 2, 7), Clear(3, 4, 8, 7), Found(5, 6, null), Write(7, 8, 9)],
        ["clear of nothing"] = [Clear(1, 2, 8, null), Write(3, 4, 9)],
        ["a chain"] = [Write(1, 2, 7), Write(3, 4, 8, 7), Write(5, 6, 9, 8), Found(7, 8, 9)],
        ["one of two wins, the other is stale"] = [Write(1, 4, 7), Stale(2, 3, 8, null, 7), Found(5, 6, 7)],
        ["stale, and it had happened before"] =
            [StaleAfterDoubt(1, 9, 7, null, 8), Write(3, 4, 8, 7), Found(5, 6, 8)],
        ["the own write in doubt is no conflict"] =
            [Maybe(1, 3, 7), Write(2, 4, 8) with { Doubts = [V(7)] }, Found(5, 6, 8)],
        ["a write over the own clear in doubt"] =
            [Write(1, 2, 6), MaybeClear(3, 5, 7, 6), Write(4, 6, 8, 6) with { Doubts = [V(7)] }, Found(7, 8, 8)],
        ["what was never applied is never seen"] = [Write(1, 2, 7) with { Ending = Ending.Never }, Found(3, 4, null)],
    };

    private static readonly Dictionary<string, Operation[]> Bad = new()
    {
        ["a read of what nobody wrote"] = [Found(1, 2, 7)],
        ["a lost write"] = [Write(1, 2, 7), Found(3, 4, null)],
        ["a stale read"] = [Write(1, 2, 7), Write(3, 4, 8, 7), Found(5, 6, 7)],
        ["a read that goes back"] = [Write(1, 8, 7), Found(2, 3, 7), Found(4, 5, null)],
        ["two writes over one version"] = [Write(1, 2, 6), Write(3, 6, 7, 6), Write(4, 5, 8, 6)],
        ["two writes over the first absence"] = [Write(1, 4, 7), Write(2, 3, 8)],
        ["a write that comes back after a clear"] = [Write(1, 2, 7), Clear(3, 4, 8, 7), Found(5, 6, 7)],
        ["an unknown write that happens twice"] =
            [Maybe(1, Operation.Open, 7), Found(2, 3, 7), Clear(4, 5, 8, 7), Found(6, 7, 7)],
        ["an unknown write that comes after it was settled"] = [Maybe(1, 3, 7), Found(4, 5, null), Found(6, 7, 7)],
        ["an unknown write before it was invoked"] = [Found(1, 2, 7), Maybe(3, Operation.Open, 7)],
        ["what was never applied is seen"] = [Write(1, 2, 7) with { Ending = Ending.Never }, Found(3, 4, 7)],
        ["stale though it was as expected"] = [Write(1, 2, 7), Stale(3, 4, 8, 7, 7)],
        ["stale and yet applied"] = [Write(1, 2, 7), Stale(3, 4, 8, 6, 7), Found(5, 6, 8)],
        ["a clear of another version"] = [Write(1, 2, 7), Clear(3, 4, 8, 6)],
        ["a write over a tombstone's version"] = [Write(1, 2, 7), Clear(3, 4, 8, 7), Write(5, 6, 9, 8)],
        ["a clear of nothing while there is something"] = [Write(1, 2, 7), Clear(3, 4, 8, null)],
    };

    [Theory]
    [MemberData(nameof(GoodOnes))]
    public void A_good_history_is_accepted_in_whatever_order_it_is_listed(string name)
    {
        Assert.True(HistoryChecker.IsLinearizable(Good[name]));
        Assert.True(HistoryChecker.IsLinearizable(Good[name].Reverse()));
    }

    /// <summary>Where tombstones are dropped, nobody can tell that the own clear in doubt has happened.</summary>
    [Fact, Trait("Rule", "S12")]
    public void A_register_may_have_forgotten_which_clear_emptied_it_where_that_is_said()
    {
        Operation[] history =
        [
            Write(1, 2, 6),
            MaybeClear(3, 5, 7, 6),
            StaleAfterDoubt(4, 6, 8, 6, null) with { Doubts = [V(7)] },
            Found(7, 8, null),
        ];
        Assert.False(HistoryChecker.IsLinearizable(history));
        Assert.True(HistoryChecker.IsLinearizable(history, mayForget: true));
        Operation[] unforgettable = [Write(1, 2, 6), Stale(3, 4, 8, 6, null)];
        Assert.False(HistoryChecker.IsLinearizable(unforgettable, mayForget: true));
        Assert.All(Bad.Values, bad => Assert.False(HistoryChecker.IsLinearizable(bad, mayForget: true)));
    }

    [Theory]
    [MemberData(nameof(BadOnes))]
    public void A_bad_history_is_refused_in_whatever_order_it_is_listed(string name)
    {
        Assert.False(HistoryChecker.IsLinearizable(Bad[name]));
        Assert.False(HistoryChecker.IsLinearizable(Bad[name].Reverse()));
    }

    /// <summary>Clears of nothing leave nothing: each of their subsets is a state of its own.</summary>
    [Fact]
    public void A_history_of_too_many_states_is_not_searched_for_ever()
    {
        var clears = Enumerable.Range(1, 30).Select(at => MaybeClear(at, Operation.Open, (ulong)at, null));
        Operation[] history = [.. clears, Found(50, 51, 7)];
        var thrown = Assert.Throws<SimulationException>(
            () => HistoryChecker.IsLinearizable(history, mostStates: 10_000));
        Assert.Contains("Too many states", thrown.Message, StringComparison.Ordinal);
        Assert.False(HistoryChecker.IsLinearizable(history[25..], mostStates: 10_000));
    }

    /// <summary>Versions 1, 2, ... one after the other, as many as there can be; then a read of one of them.</summary>
    [Fact]
    public void A_history_as_long_as_can_be_is_judged_to_its_end_and_a_longer_one_refused()
    {
        Operation[] writes =
        [
            .. Enumerable.Range(1, OperationSet.Capacity - 1)
                .Select(at => Write(2 * at, (2 * at) + 1, (ulong)at, at == 1 ? null : (ulong)at - 1)),
        ];
        var end = 2 * OperationSet.Capacity;
        for (var seen = 1; seen <= writes.Length; seen++)
        {
            var read = Found(end, end + 1, (ulong)seen);
            Assert.Equal(seen == writes.Length, HistoryChecker.IsLinearizable([.. writes, read]));
        }

        Assert.Throws<ArgumentOutOfRangeException>(
            () => HistoryChecker.IsLinearizable([.. writes, Found(end, end + 1, 1), Found(end + 2, end + 3, 1)]));
    }

    private static Operation Write(int from, int to, ulong version, ulong? expected = null) =>
        Make(OperationKind.Write, from, to, version, expected, Ending.Applied);

    private static Operation Clear(int from, int to, ulong version, ulong? expected) =>
        Make(OperationKind.Clear, from, to, version, expected, Ending.Applied);

    private static Operation Maybe(int from, int to, ulong version) =>
        Make(OperationKind.Write, from, to, version, null, Ending.Maybe);

    private static Operation MaybeClear(int from, int to, ulong version, ulong? expected) =>
        Make(OperationKind.Clear, from, to, version, expected, Ending.Maybe);

    private static Operation Stale(int from, int to, ulong version, ulong? expected, ulong? seen) =>
        Make(OperationKind.Write, from, to, version, expected, Ending.Stale) with { Seen = Optional(seen) };

    private static Operation StaleAfterDoubt(int from, int to, ulong version, ulong? expected, ulong? seen) =>
        Stale(from, to, version, expected, seen) with { Ending = Ending.StaleAfterDoubt };

    private static Operation Found(int from, int to, ulong? seen) =>
        Make(OperationKind.Read, from, to, 999, null, Ending.Found) with { Seen = Optional(seen) };

    private static Operation Make(
        OperationKind kind, int from, int to, ulong version, ulong? expected, Ending ending) =>
        new(kind, V(version), Optional(expected), ImmutableArray<RegisterVersion>.Empty, from, to, ending);

    private static RegisterVersion? Optional(ulong? sequence) => sequence is { } known ? V(known) : null;
}
