using System.Globalization;
using System.Text.RegularExpressions;
using Orleans.Consensus.Simulation.Scenarios;

namespace Orleans.Consensus.Tests.Simulation;

/// <summary>What the console says of seeds, and how it ends.</summary>
public sealed class SeedRunnerTests
{
    private static readonly Profile Short = Profile.Find("network")! with { Operations = 60 };

    private readonly StringWriter _output = new();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_seed_that_fails_is_made_smaller_and_told_in_words(bool alone)
    {
        var runner = new SeedRunner(
            Short, _output, (scenario, isTold) => new SeedRun(scenario, isTold, SimulatorControlTests.SayAccepted));
        var code = alone ? runner.RunOne(1, withMessages: false) : runner.RunMany(1, 20, minutes: null, workers: 2);

        Assert.Equal(ExitCode.Violated, code);
        Assert.Contains(alone ? "Seed 1 failed: " : "Profile network, seed ", _output.ToString());
        Assert.Matches(
            "dotnet run --project tests/ConsensusStorage.Simulation -c Release -- --profile network --seed [0-9]+",
            _output.ToString());
        var small = _output.ToString()[_output.ToString().IndexOf("The smallest", StringComparison.Ordinal)..];
        var clients = Regex.Match(small, "^The smallest that fails so: .* groups, ([0-9]+) clients").Groups[1].Value;
        Assert.InRange(int.Parse(clients, CultureInfo.InvariantCulture), 0, Scenario.Of(1, Short).Clients.Length / 2);
        Assert.Contains("VIOLATION", small);
        Assert.DoesNotContain("is well", _output.ToString());
    }

    [Fact]
    public void Seeds_that_are_well_are_counted()
    {
        Assert.Equal(ExitCode.Clean, new SeedRunner(Short, _output).RunMany(5, 3, minutes: null, workers: 2));
        Assert.StartsWith("3 seeds in ", _output.ToString());
        Assert.EndsWith($"Profile network, seeds 5 to 7: all is well.{Environment.NewLine}", _output.ToString());
    }

    [Fact]
    public void A_seed_that_is_well_is_told()
    {
        Assert.Equal(ExitCode.Clean, new SeedRunner(Short, _output).RunOne(5, withMessages: false));
        Assert.Contains("started silo 0", _output.ToString());
        Assert.EndsWith($"faults, all is well.{Environment.NewLine}", _output.ToString());
    }

    [Theory]
    [InlineData(100_000, 0)]
    [InlineData(0, 1_000)]
    public void Seeds_in_which_less_happens_than_is_promised_are_too_mild(int operations, int faults)
    {
        var demanding = Short with { Least = (operations, faults) };
        Assert.Equal(ExitCode.TooMild, new SeedRunner(demanding, _output).RunMany(5, 2, minutes: null, workers: 1));
        Assert.Contains($"Too little in a seed: ({operations}, {faults}) ", _output.ToString());
        Assert.EndsWith(
            $"seeds 5 to 6: no seed failed, but too little happened.{Environment.NewLine}", _output.ToString());
    }

    [Fact]
    public void Minutes_that_are_over_before_the_first_seed_show_nothing() =>
        Assert.Equal(ExitCode.TooMild, new SeedRunner(Short, _output).RunMany(0, 1, minutes: 1e-9, workers: 2));

    [Theory]
    [InlineData("--profile", "nonsense")]
    [InlineData("--engine", "raft")]
    [InlineData("--minutes", "0")]
    [InlineData("--seeds", "0")]
    [InlineData("--workers", "0")]
    [InlineData("--seed", "x")]
    [InlineData("--nonsense", "1")]
    public void Wrong_usage_is_exit_code_2(string option, string value) =>
        Assert.Equal(ExitCode.Misused, SimulateCommand.Invoke([option, value]));
}
