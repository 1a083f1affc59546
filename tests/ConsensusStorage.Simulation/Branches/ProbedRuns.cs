using Orleans.Consensus.Simulation.Kernel;
using Orleans.Consensus.Simulation.Runs;
using Orleans.Consensus.Simulation.Scenarios;

namespace Orleans.Consensus.Simulation.Branches;

/// <summary>The part of the count that runs beside the probed library; see <see cref="ProtocolCode"/>.</summary>
internal static class ProbedRuns
{
    /// <returns>The number of seeds, and of those that took each branch; the problem that ended it, if any.</returns>
    public static (int Seeds, int[] Taken, string? Problem) Count(
        string profile, int start, int seeds, int workers, int branches)
    {
        var taken = new int[branches];
        var next = start - 1;
        var done = 0;
        string? problem = null;
        WorkerThreads.Run(workers, Work);
        return (done, taken, problem);

        void Work()
        {
            int seed;
            while (Volatile.Read(ref problem) is null && (seed = Interlocked.Increment(ref next)) < start + seeds)
            {
                var run = IScenarioRun.Of(Scenario.Of(seed, Profile.Find(profile)!));
                var hits = Probes.Watch(branches, () => run.Execute());
                lock (taken)
                {
                    done++;
                    for (var branch = 0; branch < branches; branch++)
                    {
                        taken[branch] += hits[branch] ? 1 : 0;
                    }

                    problem ??= run.Problems.Select(what => $"Seed {seed} failed: {what}").FirstOrDefault();
                }
            }
        }
    }
}
