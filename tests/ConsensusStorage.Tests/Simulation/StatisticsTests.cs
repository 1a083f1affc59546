using Orleans.Consensus.Simulation.Scenarios;

namespace Orleans.Consensus.Tests.Simulation;

public sealed class StatisticsTests
{
    private static readonly Profile Storage = Profile.Find("storage")!;

    /// <summary>One that was not executed: no fault struck.</summary>
    private static readonly SeedRun Quiet = new(Scenario.Of(0, Storage));

    private static readonly SeedRun Eventful = new SeedRun(Scenario.Of(1, Storage)).Execute();

    [Fact]
    public void A_kind_of_fault_that_never_struck_is_listed_with_the_others()
    {
        var told = Of(1, Quiet).Tell(TimeSpan.FromSeconds(1));
        Assert.All(Storage.Weights, one => Assert.Matches($@"  {one.Kind} +0  in +0\.0 % of seeds", told));
        Assert.DoesNotContain(nameof(FaultKind.ClockJump), told);
    }

    [Fact]
    public void A_kind_of_fault_that_fewer_than_one_seed_in_a_hundred_felt_is_too_rare()
    {
        var statistics = Of(990, Quiet, 10, Eventful);
        var missing = Storage.Weights.Select(one => one.Kind).Except(Eventful.Faults.Keys).Order().ToList();
        Assert.NotEmpty(Eventful.Faults);
        Assert.Equal(missing, statistics.Rare);

        statistics = Of(991, Quiet, 9, Eventful);
        Assert.Equal(Storage.Weights.Select(one => one.Kind).Order(), statistics.Rare);
        Assert.Contains("Below 1 % of the seeds: Loss, ", statistics.Tell(TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public void Fewer_than_a_thousand_seeds_do_not_tell_what_is_too_rare()
    {
        var statistics = Of(999, Quiet);
        Assert.Empty(statistics.Rare);
        Assert.DoesNotContain("Below 1 %", statistics.Tell(TimeSpan.FromSeconds(1)));
    }

    private static Orleans.Consensus.Simulation.Runs.Statistics Of(
        int times, SeedRun run, int moreTimes = 0, SeedRun? another = null)
    {
        var statistics = new Orleans.Consensus.Simulation.Runs.Statistics(Storage);
        foreach (var one in Enumerable.Repeat(run, times).Concat(Enumerable.Repeat(another!, moreTimes)))
        {
            statistics.Add(one);
        }

        return statistics;
    }
}
