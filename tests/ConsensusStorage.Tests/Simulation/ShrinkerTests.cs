using Orleans.Consensus.Simulation.Scenarios;

namespace Orleans.Consensus.Tests.Simulation;

public sealed class ShrinkerTests
{
    private static readonly Scenario Large = Scenario.Of(1, Profile.Default);

    [Fact]
    public void What_is_left_is_what_it_takes_to_fail()
    {
        var (fault, clients) = (Large.Faults[7], Large.Clients[3..5]);
        var small = new Shrinker(1_000, Fails).Shrink(Large);

        Assert.Equal(fault, Assert.Single(small.Faults));
        Assert.Equal(clients, small.Clients);
        Assert.InRange(small.Profile.Operations, 50, 67);
        Assert.Equal(Large with { Faults = small.Faults, Clients = small.Clients, Profile = small.Profile }, small);

        bool Fails(Scenario one) =>
            one.Faults.Contains(fault) && clients.All(one.Clients.Contains) && one.Profile.Operations >= 50;
    }

    [Fact]
    public void It_gives_up_after_so_many_runs_with_what_still_fails()
    {
        var runs = 0;
        var small = new Shrinker(20, Fails).Shrink(Large);

        Assert.Equal(20, runs);
        Assert.True(small.Faults.Length < Large.Faults.Length && small.Faults.Contains(Large.Faults[7]));

        bool Fails(Scenario one)
        {
            runs++;
            return one.Faults.Contains(Large.Faults[7]);
        }
    }

    [Fact]
    public void What_fails_only_as_it_is_stays_as_it_is() =>
        Assert.Same(Large, new Shrinker(1_000, one => ReferenceEquals(one, Large)).Shrink(Large));
}
