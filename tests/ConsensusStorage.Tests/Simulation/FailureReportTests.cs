using Orleans.Consensus.Simulation.Scenarios;

namespace Orleans.Consensus.Tests.Simulation;

/// <summary>A smaller story has to have the same end as the one it stands for.</summary>
public sealed class FailureReportTests
{
    [Fact]
    public void Problems_that_differ_in_their_numbers_are_of_one_kind()
    {
        var kind = FailureReport.KindOf(["The history of register 3 is not linearizable.", "A call threw"]);
        Assert.Equal("The history of register ", kind);
        Assert.Equal(kind, FailureReport.KindOf(["The history of register 14 is not linearizable."]));
        Assert.NotEqual(kind, FailureReport.KindOf(["A call threw", "The history of register 3 is not linearizable."]));
    }

    [Fact]
    public void No_problem_is_of_no_kind() => Assert.Null(FailureReport.KindOf([]));

    [Fact]
    public void It_tells_whether_room_was_tight()
    {
        var scenario = Scenario.Of(1, Profile.Default);
        Assert.Contains("tight", FailureReport.Size(scenario with { IsTight = true }), StringComparison.Ordinal);
        Assert.DoesNotContain("tight", FailureReport.Size(scenario with { IsTight = false }), StringComparison.Ordinal);
    }
}
