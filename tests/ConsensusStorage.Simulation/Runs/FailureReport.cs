using Orleans.Consensus.Simulation.Scenarios;

namespace Orleans.Consensus.Simulation.Runs;

/// <summary>
/// Tells a failing seed: how to run it again, and the smallest story with an end of the same kind. One that fails in
/// another way would tell of something else.
/// </summary>
/// <param name="play">Makes the run of a scenario, and whether somebody wants to read what happened.</param>
/// <param name="output">Where to tell it.</param>
internal sealed class FailureReport(Func<Scenario, bool, IScenarioRun> play, TextWriter output)
{
    private const int MostRuns = 400;

    /// <param name="problems">What was wrong with it.</param>
    public void Tell(Scenario scenario, IReadOnlyList<string> problems)
    {
        output.WriteLine("To run it again: dotnet run --project tests/ConsensusStorage.Simulation -c Release -- "
            + $"--profile {scenario.Profile.Name} --seed {scenario.Seed}");
        output.WriteLine("Making it smaller ...");
        var kind = KindOf(problems);
        var small = new Shrinker(MostRuns, one => KindOf(play(one, false).Execute().Problems) == kind)
            .Shrink(scenario);
        var run = play(small, true).Execute();
        output.WriteLine();
        output.WriteLine("The smallest that fails so: " + Size(small) + $", {run.Operations} operations.");
        foreach (var fault in small.Faults)
        {
            output.WriteLine($"  {fault}");
        }

        output.WriteLine();
        output.Write(run.Tell(withMessages: false));
        output.WriteLine(string.Join(Environment.NewLine, run.Problems.Take(5)));
    }

    /// <summary>
    /// What the first problem says before it comes to its numbers, which change from run to run; null for none.
    /// </summary>
    public static string? KindOf(IReadOnlyList<string> problems) =>
        problems.Count == 0 ? null : string.Concat(problems[0].TakeWhile(letter => !char.IsAsciiDigit(letter)));

    /// <summary>How large a scenario is, in words.</summary>
    public static string Size(Scenario scenario) => scenario.Profile.Subject == Subject.Membership
        ? $"{scenario.Silos} processes, {scenario.Replicas} places, {scenario.Clients.Length} clients"
            + (scenario.IsTight ? ", places that hang" : "")
        : SizeOfStore(scenario);

    private static string SizeOfStore(Scenario scenario) =>
        $"{scenario.Silos} silos, {scenario.Replicas} replicas in {scenario.Groups} groups, "
        + $"{scenario.Clients.Length} clients" + (scenario.Floats ? ", floating" : "")
        + (scenario.Shares ? " over shared directories" : "")
        + (scenario.IsTight ? ", tight queues and little patience" : "");
}
