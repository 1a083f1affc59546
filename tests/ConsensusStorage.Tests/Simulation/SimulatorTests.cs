using Orleans.Consensus.Simulation.Linearizability;
using Orleans.Consensus.Simulation.Members;
using Orleans.Consensus.Simulation.Scenarios;

namespace Orleans.Consensus.Tests.Simulation;

/// <summary>
/// A few seeds of every profile; the console runs as many as one likes: tests/ConsensusStorage.Simulation.
/// </summary>
public sealed class SimulatorTests(ITestOutputHelper output)
{
    public static TheoryData<string> Profiles => [.. Profile.All.Select(profile => profile.Name)];

    [Theory]
    [MemberData(nameof(Profiles))]
    [Trait("Rule", "S1")]
    [Trait("Rule", "S6")]
    [Trait("Rule", "S7")]
    [Trait("Rule", "S9")]
    public void Whatever_fails_every_register_stays_linearizable(string profile)
    {
        var statistics = new Orleans.Consensus.Simulation.Runs.Statistics(Profile.Find(profile)!);
        var seeds = Profile.Find(profile)! switch
        {
            { Subject: Subject.Membership } => 30,
            { Floating: 1 } => 8,
            _ => 12,
        };
        for (var seed = 0; seed < seeds; seed++)
        {
            var scenario = Scenario.Of(seed, Profile.Find(profile)!);
            var run = IScenarioRun.Of(scenario).Execute();
            Assert.True(run.Problems.Count == 0, Report(scenario, run));
            statistics.Add(run);
        }

        output.WriteLine(statistics.Tell(TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public void A_default_seed_has_at_least_300_operations_and_10_faults()
    {
        for (var seed = 100; seed < 110; seed++)
        {
            var run = new SeedRun(Scenario.Of(seed, Profile.Default)).Execute();
            Assert.InRange(run.Histories.Count, 300, int.MaxValue);
            Assert.InRange(run.Faults.Values.Sum(), 10, int.MaxValue);
        }
    }

    [Theory]
    [MemberData(nameof(Profiles))]
    public void The_same_seed_gives_the_same_trace_byte_for_byte(string profile)
    {
        for (var seed = 20; seed < 23; seed++)
        {
            var scenario = Scenario.Of(seed, Profile.Find(profile)!);
            var first = IScenarioRun.Of(scenario, isTold: true).Execute();
            var second = IScenarioRun.Of(scenario, isTold: true).Execute();
            Assert.True(first.Tell(withMessages: true).Length > 10_000);
            Assert.Equal(first.Tell(withMessages: true), second.Tell(withMessages: true));
            Assert.Equal(first.Fingerprint, second.Fingerprint);
            Assert.Equal(first.Fingerprint, IScenarioRun.Of(scenario).Execute().Fingerprint);
        }
    }

    /// <summary>What differs from process to process must not show: hash codes of strings, above all.</summary>
    [Theory]
    [InlineData("default")]
    [InlineData("takeover")]
    [InlineData("shared")]
    [InlineData("membership")]
    public async Task Another_process_tells_the_same_byte_for_byte(string profile)
    {
        string[] arguments = ["--seed", "23", "--messages", "--profile", profile];
        var (first, second) = (SimulatorProcess.RunAsync(arguments), SimulatorProcess.RunAsync(arguments));
        var (told, code) = await first;
        Assert.Equal(ExitCode.Clean, code);
        Assert.Contains("message", told);
        Assert.True(told.Length > 10_000);
        Assert.Equal(told, (await second).Output);
    }

    [Fact]
    public void Other_seeds_take_other_courses()
    {
        var prints = Enumerable.Range(0, 8)
            .Select(seed => new SeedRun(Scenario.Of(seed, Profile.Default)).Execute().Fingerprint)
            .ToHashSet();
        Assert.Equal(8, prints.Count);
    }

    [Fact]
    public void A_membership_seed_has_at_least_160_calls_and_a_chain_of_tables()
    {
        for (var seed = 100; seed < 110; seed++)
        {
            var run = new MembershipRun(Scenario.Of(seed, Profile.Find("membership")!));
            run.Execute();
            Assert.InRange(run.Operations, 160, int.MaxValue);
            Assert.InRange(run.Tables.Length, 5, int.MaxValue);
        }
    }

    [Fact]
    public void Every_ending_of_an_operation_comes_about()
    {
        var endings = Enumerable.Range(200, 12)
            .SelectMany(seed => new SeedRun(Scenario.Of(seed, Profile.Default)).Execute().Histories.All)
            .Select(operation => operation.Ending)
            .ToHashSet();
        Assert.Equal(Enum.GetValues<Ending>().ToHashSet(), endings);
    }

    [Fact]
    [Trait("Rule", "S13")]
    public void Stores_are_formed_in_peace_and_in_trouble()
    {
        var seen = Enumerable.Range(300, 12)
            .SelectMany(seed => new SeedRun(Scenario.Of(seed, Profile.Default)).Execute().Seen)
            .ToHashSet();
        Assert.Superset(new HashSet<string> { SeedRun.FormedInPeace, SeedRun.FormedInTrouble }, seen);
    }

    private static string Report(Scenario scenario, IScenarioRun run) =>
        $"To run it again: dotnet run --project tests/ConsensusStorage.Simulation -c Release -- "
        + $"--profile {scenario.Profile.Name} --seed {scenario.Seed}\n{string.Join("\n", run.Problems)}";
}
