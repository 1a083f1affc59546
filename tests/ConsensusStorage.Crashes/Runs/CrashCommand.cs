using System.CommandLine;
using Orleans.Consensus.Azurite;
using Orleans.Consensus.Crashes.Faults;
using Orleans.Consensus.Crashes.Networks;

namespace Orleans.Consensus.Crashes.Runs;

/// <summary>The console: one run, from its command line to its exit code.</summary>
internal static class CrashCommand
{
    private static readonly Option<int> Silos = new("--silos")
    {
        Description = "Silos, each a process and with a replica: 3 or 5.",
        HelpName = "N",
        DefaultValueFactory = _ => 3,
    };

    private static readonly Option<string> Storage = new("--storage")
    {
        Description = "Where the logs are: file (a directory for each silo) or azure (an Azurite for each replica).",
        HelpName = "file|azure",
        DefaultValueFactory = _ => CrashOptions.FileStorage,
    };

    private static readonly Option<double> Minutes = new("--minutes")
    {
        Description = "How long faults go on. Each kind strikes once in any case.",
        HelpName = "N",
        DefaultValueFactory = _ => 5,
    };

    private static readonly Option<int?> Seed = new("--seed")
    {
        Description = "Decides the order of the faults and whom they hit. [default: another one each time]",
        HelpName = "N",
    };

    private static readonly Option<string?> Faults = new("--faults")
    {
        Description = $"These kinds of faults alone, with commas between them: "
            + $"{string.Join("; ", Fault.All.Select(fault => $"{fault.Name}: {fault.Purpose}"))}. [default: all]",
        HelpName = "NAMES",
    };

    private static readonly Option<bool> Goals = new("--goals")
    {
        Description = "Fails also if killed silos make accounts of the others wait for more than a second or repeat a "
            + "request, and their own accounts for more than five, or if stops in turn make anybody "
            + "repeat a request for more than five. For an idle machine.",
    };

    private static readonly Option<string?> Data = new("--data")
    {
        Description = "A new directory for logs and data, which stay. "
            + "[default: a temporary one, kept after a violation]",
        HelpName = "DIR",
    };

    private static readonly Option<int> Registers = Number("--registers", 100_000, "Accounts to open.");
    private static readonly Option<int> Rounds = Number("--rounds", 3, "How often each start is measured.");

    private static readonly Option<FileInfo> Sample = new Option<FileInfo>("--program")
    {
        Description = "The sample as it was published, a program of its own. [default: the one built with this]",
        HelpName = "FILE",
    }.AcceptExistingOnly();

    private static readonly Option<bool> StartGoals = new("--goals")
    {
        Description = "Fails also if a start takes more than five seconds. For an idle machine.",
    };

    /// <summary>Runs a command line.</summary>
    public static async Task<int> InvokeAsync(string[] arguments, InvocationConfiguration? configuration = null)
    {
        configuration ??= new();
        configuration.EnableDefaultExceptionHandler = false;
        configuration.ProcessTerminationTimeout = Waiting.Patience;
        try
        {
            var parsed = Create(configuration).Parse(arguments);
            var code = await parsed.InvokeAsync(configuration);
            return parsed.Errors.Count > 0 ? ExitCode.Misused : code;
        }
        catch (OperationCanceledException)
        {
            configuration.Error.WriteLine("Interrupted; nothing was found so far.");
            return ExitCode.Unfinished;
        }
        catch (Exception exception) when (exception is AzuriteException or NetworkException)
        {
            configuration.Error.WriteLine(exception.Message);
            return ExitCode.Broken;
        }
        catch (Exception exception)
        {
            configuration.Error.WriteLine($"The program itself failed: {exception}");
            return ExitCode.Broken;
        }
    }

    private static RootCommand Create(InvocationConfiguration configuration)
    {
        var root = new RootCommand(
            "Runs the bank's silos as separate processes, lets customers use it over HTTP, and kills, pauses, stops "
            + "and cuts off silos and storage meanwhile. Afterwards each acknowledged deposit has to be in its account "
            + "once, money conserved, every account's history linearizable, and all silos of one mind. Exit codes: "
            + "0 all is well, 1 something is not, and logs and data are kept, 2 wrong usage, 3 the program itself "
            + "failed, or what it needs is not there, 4 interrupted.")
        {
            Silos, Storage, Minutes, Seed, Faults, Goals, Data,
        };
        root.SetAction(async (arguments, cancellationToken) =>
        {
            var options = Read(arguments);
            var problems = options.Problems().ToList();
            foreach (var problem in problems)
            {
                configuration.Error.WriteLine(problem);
            }

            return problems.Count > 0
                ? ExitCode.Misused
                : await CrashRun.RunAsync(options, configuration.Output, cancellationToken);
        });
        root.Add(CreateColdStart(configuration));
        return root;
    }

    private static Command CreateColdStart(InvocationConfiguration configuration)
    {
        var command = new Command(
            "cold-start",
            "Measures how long three silos with full logs take from the start of their processes to the first "
            + "answered write, beside silos with empty ones.")
        {
            Registers, Rounds, Sample, StartGoals,
        };
        command.SetAction((arguments, cancellationToken) =>
            new ColdStart(
                arguments.GetValue(Registers), arguments.GetValue(Rounds), configuration.Output, cancellationToken)
            {
                Program = arguments.GetValue(Sample)?.FullName,
                Goals = arguments.GetValue(StartGoals),
            }.RunAsync());
        return command;
    }

    private static Option<int> Number(string name, int value, string description)
    {
        var option = new Option<int>(name)
        {
            Description = description,
            HelpName = "N",
            DefaultValueFactory = _ => value,
        };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 1)
            {
                result.AddError($"{name} must be at least 1.");
            }
        });
        return option;
    }

    private static CrashOptions Read(ParseResult arguments) => new()
    {
        Silos = arguments.GetValue(Silos),
        Storage = arguments.GetValue(Storage) ?? "",
        Minutes = arguments.GetValue(Minutes),
        Seed = arguments.GetValue(Seed) ?? Random.Shared.Next(1_000_000),
        Faults = arguments.GetValue(Faults)?.Split(',', StringSplitOptions.TrimEntries) ?? [],
        Goals = arguments.GetValue(Goals),
        Data = arguments.GetValue(Data),
    };
}
