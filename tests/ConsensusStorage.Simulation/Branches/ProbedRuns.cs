using Orleans.Consensus.Simulation.Runs;
using Orleans.Consensus.Simulation.Scenarios;

namespace Orleans.Consensus.Simulation.Branches;

/// <summary>The part of the count that runs beside the probed library; see <see cref="ProtocolCode"/>.</summary>
internal static class ProbedRuns
{
    /// <returns>For each branch the number of seeds that took it; the first problem, if there was one.</returns>
    public static (int[] Taken, string? Problem) Count(
        string profile, int start, int seeds, int workers, int branches)
    {
        var taken = new int[branches];
        var next = start - 1;
        string? problem = null;
        var threads = Enumerable.Range(0, workers).Select(_ => new Thread(Work)).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        return (taken, problem);

        void Work()
        {
            int seed;
            while ((seed = Interlocked.Increment(ref next)) < start + seeds)
            {
                var run = new SeedRun(Scenario.Of(seed, Profile.Find(profile)!));
                var hits = Probes.Watch(branches, () => run.Execute());
                lock (taken)
                {
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
