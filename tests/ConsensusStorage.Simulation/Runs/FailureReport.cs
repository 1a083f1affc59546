using Orleans.Consensus.Simulation.Scenarios;

namespace Orleans.Consensus.Simulation.Runs;

/// <summary>Tells a failing seed: how to run it again, and the smallest story with the same end.</summary>
internal static class FailureReport
{
    private const int MostRuns = 400;

    public static void Tell(Scenario scenario)
    {
        Console.WriteLine("To run it again: dotnet run --project tests/ConsensusStorage.Simulation -c Release -- "
            + $"--profile {scenario.Profile.Name} --seed {scenario.Seed}");
        Console.WriteLine("Making it smaller ...");
        var small = new Shrinker(MostRuns, one => new SeedRun(one).Execute().Problems.Count > 0).Shrink(scenario);
        var run = new SeedRun(small, isTold: true).Execute();
        Console.WriteLine();
        Console.WriteLine($"The smallest that fails: {small.Silos} silos, {small.Replicas} replicas in {small.Groups} "
            + $"groups, {small.Clients.Length} clients, {run.Histories.Count} operations.");
        foreach (var fault in small.Faults)
        {
            Console.WriteLine($"  {fault}");
        }

        Console.WriteLine();
        Console.Write(run.Tell(withMessages: false));
        Console.WriteLine(string.Join(Environment.NewLine, run.Problems.Take(5)));
    }
}
