using System.Diagnostics;
using Orleans.Consensus.Paxos;

namespace Orleans.Consensus.Tests.Paxos;

/// <summary>
/// The shipped acceptor and round in small worlds. In each state: one version per ballot, ballots never go back, the
/// chosen values are one chain in which no version comes twice, and the history is linearizable.
/// </summary>
public sealed class WorldTests(ITestOutputHelper output)
{
    [Theory]
    [Trait("Rule", "S6"), Trait("Rule", "S7"), Trait("Rule", "S9"), Trait("Rule", "S10"), Trait("Rule", "S21")]
    [InlineData("w", 2, "r", 1, 0)]
    [InlineData("w", 1, "r", 2, 0)]
    [InlineData("c", 2, "w", 1, 0)]
    [InlineData("rw", 1, "w", 1, 0)]
    [InlineData("w", 1, "r", 1, 1)]
    public void Every_reachable_world_of_two_clients_keeps_the_rules(
        string first, int firstRounds, string second, int secondRounds, int crashes) =>
        WalkAll(first, firstRounds, second, secondRounds, crashes);

    [Theory]
    [Trait("Rule", "S3"), Trait("Rule", "S8b"), Trait("Rule", "S14"), Trait("Rule", "S22")]
    [InlineData(3, 2, 900)]
    [InlineData(3, 3, 900)]
    [InlineData(5, 3, 500)]
    [InlineData(4, 2, 300)]
    [InlineData(1, 2, 200)]
    public void Random_worlds_keep_the_rules(int acceptors, int clients, int seeds)
    {
        var (applied, operations) = (0, 0);
        for (var seed = 0; seed < seeds; seed++)
        {
            var world = Walk(WorldWith(acceptors), clients, seed);
            applied += world.Ledger.Applied.Length;
            operations += world.History.Length;
        }

        output.WriteLine($"{operations} operations, {applied} versions took effect");
        Assert.True(applied > seeds, "The walks hardly get anything done.");
    }

    private static World Walk(WorldRules rules, int clients, int seed)
    {
        try
        {
            return new RandomWalk(rules, seed, clients).Run();
        }
        catch (Exception error) when (error is WorldViolationException or ProtocolViolationException)
        {
            throw new WorldViolationException(
                $"seed {seed}, {clients} clients, {rules.Acceptors} acceptors: {error.Message}");
        }
    }

    private static WorldRules WorldWith(int acceptors) => new WorldRules().Of(acceptors);

    private void WalkAll(string first, int firstRounds, string second, int secondRounds, int crashes)
    {
        var clock = Stopwatch.StartNew();
        var rules = new WorldRules
        {
            Scripts = [WorldRules.Script(first), WorldRules.Script(second)],
            Rounds = [firstRounds, secondRounds],
        };
        var walk = new ExhaustiveWalk(rules, new() { Crashes = crashes }).Run();

        output.WriteLine($"{walk.States} states in {clock.ElapsedMilliseconds} ms");
        Assert.True(walk.Violation is null, walk.Violation is null ? "" : walk.Tell());
        Assert.True(walk.IsComplete, $"{walk.States} states are too many.");
    }
}
