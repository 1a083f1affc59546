using System.Diagnostics;
using Orleans.Consensus.Crashes;
using Orleans.Consensus.Crashes.Bank;
using Orleans.Consensus.Crashes.Runs;

namespace Orleans.Consensus.Tests.Crashes;

public sealed class ServicePausesTests
{
    private static readonly TimeSpan Ever = TimeSpan.FromDays(1);

    private readonly Stopwatch _clock = Stopwatch.StartNew();

    [Fact]
    public void What_customers_of_unharmed_silos_noticed_is_told_apart()
    {
        var pauses = new ServicePauses(_clock);
        using var harm = pauses.Harm([1]);
        Beat[] beats =
        [
            Waiting(0, "a", 0.5, attempts: 1), Waiting(0, "b", 3, attempts: 2), Waiting(2, null, 2, attempts: 1),
            Waiting(1, "a", 9, attempts: 7),
        ];

        var noticed = pauses.Find(beats, minority: 1);

        Assert.Equal(new(TimeSpan.FromSeconds(0.5), 0, TimeSpan.FromSeconds(3)), noticed);
        noticed.RequireGoals();
    }

    [Theory]
    [InlineData(0, "a", 1.5, 1)]
    [InlineData(0, "a", 0.5, 2)]
    [InlineData(0, "b", 5.5, 1)]
    public void A_goal_that_is_missed_is_a_violation(int silo, string host, double seconds, int attempts)
    {
        var pauses = new ServicePauses(_clock);
        using var harm = pauses.Harm([1]);

        var noticed = pauses.Find([Waiting(silo, host, seconds, attempts)], minority: 1);

        Assert.Throws<ViolationException>(noticed.RequireGoals);
    }

    [Fact]
    public void While_more_than_a_minority_is_harmed_nothing_is_expected()
    {
        var pauses = new ServicePauses(_clock);
        using var harm = pauses.Harm([1, 2]);

        Assert.Equal(default, pauses.Find([Waiting(0, "a", 9, attempts: 9)], minority: 1));
    }

    private static Beat Waiting(int silo, string? host, double seconds, int attempts) =>
        new(silo, host, Ever, Ever + TimeSpan.FromSeconds(seconds), attempts);
}
