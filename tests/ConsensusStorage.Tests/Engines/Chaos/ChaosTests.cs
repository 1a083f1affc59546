using System.Globalization;
using Orleans.Consensus.Simulation.Linearizability;

namespace Orleans.Consensus.Tests.Engines.Chaos;

/// <summary>
/// Whole clusters under faults. CHAOS_SEEDS sets how many seeds are run (from CHAOS_FROM), CHAOS_SEED replays one.
/// </summary>
public sealed class ChaosTests(ITestOutputHelper output)
{
    private const string Replay =
        "dotnet test tests/ConsensusStorage.Tests --filter FullyQualifiedName~Chaos.ChaosTests";

    [Fact]
    [Trait("Rule", "S1")]
    [Trait("Rule", "S6")]
    [Trait("Rule", "S7")]
    [Trait("Rule", "S9")]
    public void Whatever_fails_every_register_stays_linearizable()
    {
        var one = Variable("CHAOS_SEED");
        var first = one ?? Variable("CHAOS_FROM") ?? 0;
        var count = one is null ? Variable("CHAOS_SEEDS") ?? 150 : 1;
        var endings = new Dictionary<Ending, int>();
        for (var seed = first; seed < first + count; seed++)
        {
            var run = new ChaosRun(seed).Execute();
            Assert.True(run.Problems.Count == 0, Report(seed, run));
            foreach (var operation in run.Operations)
            {
                endings[operation.Ending] = endings.GetValueOrDefault(operation.Ending) + 1;
            }
        }

        output.WriteLine($"{count} seeds: {string.Join(", ", endings.Select(pair => $"{pair.Value} {pair.Key}"))}");
        Assert.All(Enum.GetValues<Ending>(), ending => Assert.True(count < 20 || endings.ContainsKey(ending)));
    }

    private static int? Variable(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text
            ? int.Parse(text, CultureInfo.InvariantCulture)
            : null;

    private static string Report(int seed, ChaosRun run) =>
        $"Seed {seed}. To replay: CHAOS_SEED={seed} {Replay}\n{string.Join("\n", run.Problems)}\n"
        + string.Join("\n", run.Events);
}
