using System.Collections.Immutable;
using Orleans.Consensus.Simulation.Scenarios;

namespace Orleans.Consensus.Simulation.Runs;

/// <summary>
/// Makes a failing scenario smaller, as long as it still fails: fewer faults, fewer clients, fewer operations
/// (A. Zeller, R. Hildebrandt, "Simplifying and Isolating Failure-Inducing Input").
/// </summary>
/// <param name="mostRuns">Runs to spend.</param>
/// <param name="fails">Whether a scenario fails.</param>
internal sealed class Shrinker(int mostRuns, Func<Scenario, bool> fails)
{
    private int _left = mostRuns;

    public Scenario Shrink(Scenario scenario)
    {
        Scenario before;
        do
        {
            before = scenario;
            scenario = Fewer(scenario, scenario.Faults, (one, rest) => one with { Faults = rest });
            scenario = Fewer(scenario, scenario.Clients, (one, rest) => one with { Clients = rest });
            scenario = Shorter(scenario);
        }
        while (_left > 0 && !ReferenceEquals(before, scenario));

        return scenario;
    }

    private Scenario Fewer<T>(
        Scenario scenario, ImmutableArray<T> all, Func<Scenario, ImmutableArray<T>, Scenario> with)
    {
        for (var size = Math.Max(1, all.Length / 2); size > 0; size /= 2)
        {
            for (var start = 0; start < all.Length;)
            {
                var rest = all.RemoveRange(start, Math.Min(size, all.Length - start));
                var smaller = with(scenario, rest);
                if (StillFails(smaller))
                {
                    (scenario, all) = (smaller, rest);
                }
                else
                {
                    start += size;
                }
            }
        }

        return scenario;
    }

    private Scenario Shorter(Scenario scenario)
    {
        while (scenario.Profile.Operations > 8)
        {
            var profile = scenario.Profile with { Operations = scenario.Profile.Operations * 3 / 4 };
            var smaller = scenario with { Profile = profile };
            if (!StillFails(smaller))
            {
                break;
            }

            scenario = smaller;
        }

        return scenario;
    }

    private bool StillFails(Scenario scenario) => _left-- > 0 && fails(scenario);
}
