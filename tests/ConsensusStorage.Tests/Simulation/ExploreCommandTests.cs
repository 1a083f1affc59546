using System.CommandLine;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Simulation.Runs;

namespace Orleans.Consensus.Tests.Simulation;

public sealed class ExploreCommandTests
{
    [Fact]
    public void A_world_that_is_well_is_counted_whoever_walks()
    {
        var (code, one, _) = Run("--world", "w1-r1", "--workers", "1");
        Assert.Equal(0, code);
        Assert.Contains("complete", one);
        Assert.EndsWith($"Every state is well.{Environment.NewLine}", one);

        var (_, two, _) = Run("--world", "w1-r1", "--workers", "2");
        Assert.Equal(CountsIn(one), CountsIn(two));
    }

    [Fact]
    public void A_violation_is_told_step_by_step()
    {
        var world = Worlds.Find("w1-r1")!;
        var broken = world with { Rules = world.Rules with { AcceptorsCounted = 1 } };
        var output = new StringWriter();

        Assert.Equal(1, ExploreCommand.Explore([broken], output));
        Assert.Contains("World w1-r1 is violated: Applied, and not chosen.", output.ToString());
        Assert.Contains("   1. client 1 begins a write; client 1 sends prepare", output.ToString());
        Assert.Contains("that must not be", output.ToString());
        Assert.DoesNotContain("is well", output.ToString());
    }

    [Fact]
    public void What_the_shipped_code_throws_is_a_violation()
    {
        var world = Worlds.Find("w1-r1")!;
        var broken = world with
        {
            Rules = world.Rules with
            {
                Hear = static (round, acceptor, reply) =>
                    reply is Accepted ? throw new InvalidOperationException("Oops.") : round.On(acceptor, reply),
            },
        };
        var output = new StringWriter();

        Assert.Equal(1, ExploreCommand.Explore([broken], output));
        Assert.Contains("Oops.", output.ToString());
    }

    [Fact]
    public void A_walk_that_could_not_finish_says_so()
    {
        var output = new StringWriter();
        Assert.Equal(ExitCode.Unfinished, ExploreCommand.Explore([Worlds.Find("w2-w2")!], output, mostStates: 1_000));
        Assert.Contains("NOT FINISHED", output.ToString());
        Assert.EndsWith($"Not finished; every state seen is well.{Environment.NewLine}", output.ToString());
    }

    [Fact]
    public void A_walk_whose_time_is_up_says_so_and_is_clean()
    {
        var output = new StringWriter();
        Assert.Equal(ExitCode.Clean, ExploreCommand.Explore([Worlds.Find("w2-w2")!], output, minutes: 0.001));
        Assert.Contains("NOT FINISHED", output.ToString());
        Assert.EndsWith(
            $"Not finished in the minutes it was given; every state seen is well.{Environment.NewLine}",
            output.ToString());
    }

    [Fact]
    public void A_simulator_that_fails_itself_does_not_end_like_a_violation()
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        output.Dispose();
        var configuration = new InvocationConfiguration { Output = output, Error = error };
        Assert.Equal(ExitCode.Broken, SimulateCommand.Invoke(["explore", "--list"], configuration));
        Assert.Contains("The simulator itself failed: System.ObjectDisposedException", error.ToString());
    }

    [Fact]
    public void What_a_worker_throws_reaches_its_caller() =>
        Assert.Throws<IOException>(() => WorkerThreads.Run(2, () => throw new IOException()));

    [Fact]
    public void Listed_worlds_have_names_that_say_all_and_each_is_there_once()
    {
        var (code, list, _) = Run("--set", "full", "--list");
        var names = Worlds.Sets["full"].Select(world => world.Name).ToList();

        Assert.Equal(0, code);
        Assert.Equal(names, list.Split(Environment.NewLine).SkipLast(1).Select(line => line[..line.IndexOf(':')]));
        Assert.Equal(names.Count, names.Distinct().Count());
        Assert.Subset(names.ToHashSet(), Worlds.Sets["ci"].Select(world => world.Name).ToHashSet());
    }

    [Theory]
    [InlineData("--set", "nonsense")]
    [InlineData("--world", "x1-r1")]
    [InlineData("--world", "w1-late2")]
    [InlineData("--world", "gone")]
    [InlineData("--minutes", "0")]
    [InlineData("--minutes", "soon")]
    [InlineData("--workers", "0")]
    [InlineData("--nonsense", "1")]
    public void Wrong_usage_is_exit_code_2(string option, string value)
    {
        var (code, _, error) = Run(option, value);
        Assert.Equal(2, code);
        Assert.NotEmpty(error);
    }

    private static (int Code, string Output, string Error) Run(params string[] arguments)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var configuration = new InvocationConfiguration { Output = output, Error = error };
        return (SimulateCommand.Invoke(["explore", .. arguments], configuration), output.ToString(), error.ToString());
    }

    private static string CountsIn(string report) => report[..report.IndexOf(", at most", StringComparison.Ordinal)];
}
