using Orleans.Consensus.Paxos;

namespace Orleans.Consensus.Tests.Paxos;

/// <summary>
/// Negative controls of collecting tombstones and of copying values: each breaks one rule, and going through all of a
/// small world has to find a way to harm, which random walks may miss. Unbroken, the same worlds are
/// well: they are in the sets of the explorer.
/// </summary>
public sealed class BrokenCollectionTests(ITestOutputHelper output)
{
    private static readonly Dictionary<string, (string World, Func<WorldRules, WorldRules> Break)> Controls = new()
    {
        ["S12 a: a quorum that holds the tombstone is enough"] = ("wcr1-drop1", rules => rules with { Reporters = 2 }),
        ["S12 b: a tombstone is dropped before floors are raised"] =
            ("w1-w1-gone-drop1", rules => rules with { WaitsForFloors = false, Drop = DropWhateverIsPromised }),
        ["S12 b: the horizon is not above those before"] =
            ("wcr1-floor1-drop1-copy1", rules => rules with { FloorIsFresh = false }),
        ["S12 c: a tombstone is dropped under a higher promise"] =
            ("w1-w1-gone-drop1", rules => rules with { Drop = DropWhateverIsPromised }),
        ["S11: the floor promises nothing"] =
            ("w1-w1-gone-drop1", rules => rules with { Answer = AnswerBelowTheFloor }),
        ["S12: absences tell no horizon"] = ("w2-rc1-drop1", rules => rules with { Answer = AnswerWithoutTheHorizon }),
        ["S12: the floor is told for the horizon"] =
            ("w2-alone1", rules => rules with { Answer = AnswerWithTheFloor }),
        ["S11: a promise above the floor is forgotten"] =
            ("w1-w1-alone1", rules => rules with { Forgets = static (state, _) => state.Accepted.IsNone }),
        ["S14: a copy from before the horizon was raised is installed"] =
            ("wcr1-drop1-copy1", rules => rules with { Install = InstallWhateverTheHorizon }),
    };

    public static TheoryData<string> Names => [.. Controls.Keys];

    [Theory, MemberData(nameof(Names))]
    [Trait("Rule", "S11"), Trait("Rule", "S12"), Trait("Rule", "S14")]
    public void A_broken_collection_is_caught(string control)
    {
        var (name, broken) = Controls[control];
        var world = Worlds.Sets["full"].Single(one => one.Name == name);
        var walk = new ExhaustiveWalk(broken(world.Rules), world.Moves) { Workers = 2 }.Run();

        Assert.True(walk.Violation is not null, $"{walk.States} states, complete: {walk.IsComplete}");
        output.WriteLine($"caught after {walk.States} states of {name}:");
        output.WriteLine(walk.Tell());
    }

    private static AcceptorState? DropWhateverIsPromised(AcceptorState state, GroupFloor floor, Order order) =>
        state.Accepted == order.Accepted ? null : state;

    private static AcceptorState InstallWhateverTheHorizon(AcceptorState state, GroupFloor floor, Copy copy) =>
        Acceptor.Install(state, floor, copy.At, copy.Value, seen: floor.Horizon);

    /// <summary>A register nobody has spoken of stands at nothing.</summary>
    private static AcceptorStep AnswerBelowTheFloor(
        AcceptorState state, GroupFloor floor, Orleans.Consensus.Paxos.Request request) =>
        WorldRules.Step(
            state == AcceptorState.Absent(floor.Floor) ? AcceptorState.Absent(Ballot.None) : state,
            floor with { Floor = Ballot.None },
            request);

    private static AcceptorStep AnswerWithoutTheHorizon(
        AcceptorState state, GroupFloor floor, Orleans.Consensus.Paxos.Request request) =>
        WorldRules.Step(state, floor with { Horizon = Ballot.None }, request);

    private static AcceptorStep AnswerWithTheFloor(
        AcceptorState state, GroupFloor floor, Orleans.Consensus.Paxos.Request request) =>
        WorldRules.Step(state, floor with { Horizon = floor.Floor }, request);
}
