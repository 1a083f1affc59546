using System.CommandLine;
using Orleans.Consensus.Simulation.Branches;
using Orleans.Consensus.Simulation.Explorer;
using Orleans.Consensus.Simulation.Scenarios;

namespace Orleans.Consensus.Simulation.Runs;

/// <summary>The console's main job: one seed after the other, on every core, until one fails.</summary>
internal static class SimulateCommand
{
    internal static readonly Option<int> Seeds = new("--seeds")
    {
        Description = "How many seeds to run. Default 1,000.",
        DefaultValueFactory = _ => 1_000,
    };

    private static readonly Option<int?> Seed = new("--seed")
    {
        Description = "Run this one seed and tell all that happened.",
    };

    internal static readonly Option<int> Start = new("--start") { Description = "The first seed. Default 0." };

    internal static readonly Option<string> ProfileName = new("--profile")
    {
        Description = string.Join("; ", Profile.All.Select(profile => $"{profile.Name}: {profile.Purpose}")) + ".",
        DefaultValueFactory = _ => Profile.Default.Name,
    };

    private static readonly Option<string> Engine = new("--engine")
    {
        Description = "The consensus engine: paxos.",
        DefaultValueFactory = _ => "paxos",
    };

    private static readonly Option<double?> Minutes = new("--minutes")
    {
        Description = "Run for so long instead of a number of seeds.",
    };

    internal static readonly Option<int> Workers = new("--workers")
    {
        Description = "Seeds that run at the same time. Default: one for each core.",
        DefaultValueFactory = _ => Environment.ProcessorCount,
    };

    private static readonly Option<bool> Messages = new("--messages")
    {
        Description = "Tell every message, too.",
    };

    private static RootCommand Create()
    {
        var root = new RootCommand(
            "Runs whole clusters of the shipped code in a simulated world: clock, network, disks and processes, with "
            + "faults everywhere, all from a seed. Exit codes: 0 all is well, 1 a seed failed, 2 wrong usage, 3 the "
            + "simulator itself failed, 5 no seed failed, but one had fewer operations or faults than its profile "
            + "promises, or of at least 1,000 fewer than 1 % felt a kind of fault of the profile.");
        foreach (var option in new Option[] { Seeds, Seed, Start, ProfileName, Engine, Minutes, Workers, Messages })
        {
            root.Add(option);
        }

        root.SetAction(Run);
        root.Add(ExploreCommand.Create());
        root.Add(BranchesCommand.Create());
        return root;
    }

    /// <summary>
    /// Runs a command line. One that can't be understood does not end like a violation, and neither does a simulator
    /// that fails itself: out of memory, say.
    /// </summary>
    public static int Invoke(string[] arguments, InvocationConfiguration? configuration = null)
    {
        configuration ??= new();
        configuration.EnableDefaultExceptionHandler = false;
        try
        {
            var parsed = Create().Parse(arguments);
            var code = parsed.Invoke(configuration);
            return parsed.Errors.Count > 0 ? ExitCode.Misused : code;
        }
        catch (Exception exception)
        {
            configuration.Error.WriteLine($"The simulator itself failed: {exception}");
            return ExitCode.Broken;
        }
    }

    /// <summary>The profile that is asked for; null, and said so, if it or a number makes no sense.</summary>
    internal static Profile? ProfileOf(ParseResult arguments)
    {
        if (Profile.Find(arguments.GetValue(ProfileName)!) is not { } profile)
        {
            var names = string.Join(", ", Profile.All.Select(one => one.Name));
            Console.Error.WriteLine($"There is no profile '{arguments.GetValue(ProfileName)}'. Profiles: {names}.");
            return null;
        }

        if (arguments.GetValue(Seeds) < 1 || arguments.GetValue(Workers) < 1)
        {
            Console.Error.WriteLine("--seeds and --workers have to be above zero.");
            return null;
        }

        return profile;
    }

    private static int Run(ParseResult arguments)
    {
        if (arguments.GetValue(Engine) is not "paxos" and var engine)
        {
            Console.Error.WriteLine($"There is no engine '{engine}'. Engines: paxos.");
            return ExitCode.Misused;
        }

        if (ProfileOf(arguments) is not { } profile)
        {
            return ExitCode.Misused;
        }

        if (arguments.GetValue(Minutes) <= 0)
        {
            Console.Error.WriteLine("--minutes has to be above zero.");
            return ExitCode.Misused;
        }

        var runner = new SeedRunner(profile, arguments.InvocationConfiguration.Output);
        return arguments.GetValue(Seed) is { } seed
            ? runner.RunOne(seed, arguments.GetValue(Messages))
            : runner.RunMany(
                arguments.GetValue(Start),
                arguments.GetValue(Seeds),
                arguments.GetValue(Minutes),
                arguments.GetValue(Workers));
    }
}
