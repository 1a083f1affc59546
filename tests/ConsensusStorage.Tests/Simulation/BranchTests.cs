using Orleans.Consensus.Simulation.Branches;
using Orleans.Consensus.Simulation.Scenarios;

namespace Orleans.Consensus.Tests.Simulation;

public sealed class BranchTests
{
    private const int Seeds = 3;

    private static readonly ProtocolCode Code = new(Subject.Store);

    [Fact]
    public void Branches_are_told_by_statement_and_condition()
    {
        var branch = Code.Branches.First(one => one.Method == "Acceptor.On" && one.When == "<= ceiling: no");
        Assert.Equal("if (prepare.Ballot.Round > ceiling)", branch.Source);
        Assert.EndsWith("src/ConsensusStorage/Paxos/Acceptor.cs", branch.File.Replace('\\', '/'));
        Assert.Contains(Code.Branches, one => one.Method == "PaxosEngine.DriveAsync");
        Assert.InRange(Code.Branches.Count, 600, 1200);
    }

    /// <summary>
    /// In a process of its own: Orleans looks at all assemblies of a process, and would find the probed ones, too.
    /// </summary>
    [Fact]
    public async Task Seeds_are_counted_whoever_runs_them()
    {
        var report = await RunAsync("--seeds", $"{Seeds}", "--start", "7", "--workers", "1");
        Assert.Equal(report, await RunAsync("--seeds", $"{Seeds}", "--start", "7", "--workers", "2"));
        Assert.StartsWith(
            $"{Code.Branches.Count} branches of the protocol code; seeds that took them, of {Seeds}:", report);
        Assert.Matches(@"  BallotSource\.cs +2 branches, at least 100\.0 % of seeds", report);
        Assert.Contains("no procedure drops", report);
        Assert.DoesNotContain("failed", report);
    }

    [Fact]
    public void Every_excuse_is_one_for_a_branch()
    {
        var branches = Enum.GetValues<Subject>().SelectMany(subject => new ProtocolCode(subject).Branches).ToList();
        Assert.DoesNotContain(OutOfReach.All, excuse => !branches.Any(excuse.Covers));
    }

    [Fact]
    public void A_branch_that_could_be_reached_and_is_not_fails_the_report()
    {
        var taken = Enumerable.Repeat(1, Code.Branches.Count).ToArray();
        var report = new BranchReport(Code.Branches, new(100, taken, Problem: null));
        Assert.True(report.IsClean);
        Assert.EndsWith($"Below 1 % of the seeds: 0{Environment.NewLine}", report.Tell());

        taken[Index("Acceptor.On", "entered")] = 0;
        report = new(Code.Branches, new(100, taken, Problem: null));
        Assert.False(report.IsClean);
        Assert.Contains(" 0.0 %  Acceptor.cs:", report.Tell());

        taken[Index("Acceptor.On", "entered")] = 1;
        taken[Index("Acceptor.Drop", "entered")] = 0;
        report = new(Code.Branches, new(100, taken, Problem: null));
        Assert.True(report.IsClean);
        Assert.Contains("no procedure drops", report.Tell());

        Assert.False(new BranchReport(Code.Branches, new(1, taken, "Seed 1 failed")).IsClean);
    }

    [Theory]
    [InlineData("--seeds", "0")]
    [InlineData("--workers", "0")]
    [InlineData("--profile", "nonsense")]
    public void Wrong_usage_is_exit_code_2(string option, string value) =>
        Assert.Equal(2, SimulateCommand.Invoke(["branches", option, value]));

    private static async Task<string> RunAsync(params string[] arguments) =>
        (await SimulatorProcess.RunAsync(["branches", .. arguments])).Output;

    private static int Index(string method, string when) =>
        Code.Branches.ToList().FindIndex(one => one.Method == method && one.When == when);
}
