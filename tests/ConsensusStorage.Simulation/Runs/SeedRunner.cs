using System.Diagnostics;
using Orleans.Consensus.Simulation.Kernel;
using Orleans.Consensus.Simulation.Scenarios;

namespace Orleans.Consensus.Simulation.Runs;

/// <summary>Runs the seeds of a profile, and tells of them.</summary>
/// <param name="output">Where to tell it.</param>
/// <param name="play">Makes the run of a scenario, and whether somebody wants to read what happened.</param>
internal sealed class SeedRunner(Profile profile, TextWriter output, Func<Scenario, bool, IScenarioRun>? play = null)
{
    private static readonly TimeSpan BetweenProgress = TimeSpan.FromSeconds(10);

    private readonly Func<Scenario, bool, IScenarioRun> _play = play ?? IScenarioRun.Of;

    /// <summary>One seed, and all that happened.</summary>
    /// <returns>The <see cref="ExitCode"/>.</returns>
    public int RunOne(int seed, bool withMessages)
    {
        var scenario = Scenario.Of(seed, profile);
        var run = _play(scenario, true).Execute();
        output.Write(run.Tell(withMessages));
        if (run.Problems.Count > 0)
        {
            return Fail($"Seed {seed}", new(scenario, run.Problems));
        }

        output.WriteLine($"Seed {seed}: {run.Operations} operations, {run.Faults.Values.Sum()} faults, all is well.");
        return ExitCode.Clean;
    }

    /// <summary>One seed after the other, on several threads, until one fails.</summary>
    /// <param name="minutes">For so long, instead of a number of <paramref name="seeds"/>.</param>
    /// <returns>The <see cref="ExitCode"/>.</returns>
    public int RunMany(int first, int seeds, double? minutes, int workers)
    {
        var last = minutes is null ? (long)first + seeds : int.MaxValue;
        var clock = Stopwatch.StartNew();
        var statistics = new Statistics(profile);
        var next = (long)first - 1;
        var told = TimeSpan.Zero;
        Failure? failed = null;
        WorkerThreads.Run(workers, Work);
        output.Write(statistics.Tell(clock.Elapsed));
        if (failed is not null)
        {
            return Fail($"Profile {profile.Name}, seed {failed.Scenario.Seed}", failed);
        }

        // Seeds that are well say little if what they are to withstand did not happen.
        var end = statistics.IsMild ? "no seed failed, but too little happened" : "all is well";
        output.WriteLine($"Profile {profile.Name}, seeds {first} to {first + statistics.Seeds - 1}: {end}.");
        return statistics.IsMild ? ExitCode.TooMild : ExitCode.Clean;

        void Work()
        {
            while (Volatile.Read(ref failed) is null && (minutes is null || clock.Elapsed.TotalMinutes < minutes))
            {
                var seed = Interlocked.Increment(ref next);
                if (seed >= last)
                {
                    return;
                }

                var scenario = Scenario.Of((int)seed, profile);
                var run = _play(scenario, false).Execute();
                statistics.Add(run);
                lock (statistics)
                {
                    if (run.Problems.Count > 0 && (failed is null || scenario.Seed < failed.Scenario.Seed))
                    {
                        failed = new(scenario, run.Problems);
                    }

                    Progress();
                }
            }
        }

        void Progress()
        {
            if (clock.Elapsed - told > BetweenProgress)
            {
                told = clock.Elapsed;
                output.WriteLine(
                    $"{clock.Elapsed:hh\\:mm\\:ss}  {statistics.Seeds} seeds, {statistics.Operations} operations, "
                    + $"{statistics.Faults} faults, {statistics.Seeds / clock.Elapsed.TotalSeconds:0.0} seeds/s");
            }
        }
    }

    private int Fail(string which, Failure failure)
    {
        output.WriteLine($"{which} failed: {failure.Problems[0]}");
        new FailureReport(_play, output).Tell(failure.Scenario, failure.Problems);
        return ExitCode.Violated;
    }

    private sealed record Failure(Scenario Scenario, IReadOnlyList<string> Problems);
}
