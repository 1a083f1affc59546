using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Orleans.Consensus.Simulation.Runs;

namespace Orleans.Consensus.Simulation.Explorer;

/// <summary>The console's second job: every state of small worlds, checked.</summary>
internal static class ExploreCommand
{
    /// <summary>Names of states take some 40 bytes each at worst: no more than 8 GiB.</summary>
    private const long MostStates = 180_000_000;

    private static readonly Option<string> Set = new("--set")
    {
        Description = "The set of worlds: ci, for seconds; full, for an hour or two. Default ci.",
        DefaultValueFactory = _ => "ci",
    };

    private static readonly Option<string?> WorldName = new("--world")
    {
        Description = "Only this world, listed or not. " + Worlds.Notation,
    };

    private static readonly Option<double?> Minutes = new("--minutes")
    {
        Description = "Stop after so long, finished or not.",
    };

    private static readonly Option<int> Workers = new("--workers")
    {
        Description = "Threads. Default: one for each core.",
        DefaultValueFactory = _ => Environment.ProcessorCount,
    };

    private static readonly Option<bool> List = new("--list") { Description = "List the worlds of the set." };

    public static Command Create()
    {
        var command = new Command(
            "explore",
            "Goes through every state of small worlds around the shipped Acceptor and Round: messages lost, late, "
            + "overtaken and doubled, clients that give up and die. Exit codes: 0 no violation (also if --minutes were "
            + "over before the end, and then it says so), 1 a violation, told step by step, 2 wrong usage, 3 the "
            + "explorer itself failed, 4 no violation, but there are more states than it can hold.");
        foreach (var option in new Option[] { Set, WorldName, Minutes, Workers, List })
        {
            command.Add(option);
        }

        command.SetAction(Run);
        return command;
    }

    /// <summary>Walks through each world up to the first violation and reports to <paramref name="output"/>.</summary>
    /// <param name="minutes">Whoever limits them is content with a part.</param>
    public static int Explore(
        IEnumerable<NamedWorld> worlds,
        TextWriter output,
        int workers = 1,
        double minutes = double.PositiveInfinity,
        long mostStates = MostStates)
    {
        var clock = Stopwatch.StartNew();
        var (states, count, isComplete) = (0L, 0, true);
        foreach (var world in worlds)
        {
            var start = clock.Elapsed;
            var walk = new ExhaustiveWalk(world.Rules, world.Moves)
            {
                Workers = workers,
                Limit = mostStates,
                IsEnough = () => clock.Elapsed.TotalMinutes >= minutes,
            }.Run();
            var end = walk.IsComplete ? "complete" : "NOT FINISHED";
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{world.Name}: {walk.States:N0} states, {walk.Transitions:N0} transitions, at most {walk.Depth} steps "
                + $"deep, {(clock.Elapsed - start).TotalSeconds:0.0} s, {end}"));
            if (walk.Violation is { } violation)
            {
                output.WriteLine($"World {world.Name} is violated: {violation.Message}");
                output.WriteLine(walk.Tell());
                return ExitCode.Violated;
            }

            (states, count, isComplete) = (states + walk.States, count + 1, isComplete && walk.IsComplete);
        }

        var rate = states / clock.Elapsed.TotalSeconds;
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{states:N0} states of {count} worlds in {clock.Elapsed.TotalSeconds:0.0} s, {rate:N0}/s, "
            + $"at most {PeakMemory():N0} MiB of memory."));
        var isTimeUp = !isComplete && clock.Elapsed.TotalMinutes >= minutes;
        output.WriteLine(isComplete ? "Every state is well."
            : isTimeUp ? "Not finished in the minutes it was given; every state seen is well."
            : "Not finished; every state seen is well.");
        return isComplete || isTimeUp ? ExitCode.Clean : ExitCode.Unfinished;
    }

    /// <summary>Of the whole process so far, in MiB: long walks end where memory does.</summary>
    private static long PeakMemory()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64 >> 20;
    }

    private static int Run(ParseResult arguments)
    {
        var (output, error) = (arguments.InvocationConfiguration.Output, arguments.InvocationConfiguration.Error);
        if (!Worlds.Sets.TryGetValue(arguments.GetValue(Set)!, out var worlds))
        {
            var sets = string.Join(", ", Worlds.Sets.Keys);
            error.WriteLine($"There is no set '{arguments.GetValue(Set)}'. Sets: {sets}.");
            return ExitCode.Misused;
        }

        if (arguments.GetValue(WorldName) is { } name)
        {
            if (Worlds.Find(name) is not { } world)
            {
                error.WriteLine($"'{name}' is no world. {Worlds.Notation}");
                return ExitCode.Misused;
            }

            worlds = [world];
        }

        if (arguments.GetValue(Minutes) <= 0 || arguments.GetValue(Workers) < 1)
        {
            error.WriteLine("--minutes and --workers have to be above zero.");
            return ExitCode.Misused;
        }

        if (!arguments.GetValue(List))
        {
            var minutes = arguments.GetValue(Minutes) ?? double.PositiveInfinity;
            return Explore(worlds, output, arguments.GetValue(Workers), minutes);
        }

        foreach (var world in worlds)
        {
            output.WriteLine($"{world.Name}: {world.Purpose}");
        }

        return ExitCode.Clean;
    }
}
