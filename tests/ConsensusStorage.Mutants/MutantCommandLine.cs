using System.CommandLine;
using System.Globalization;

namespace Orleans.Consensus.Mutants;

/// <summary>
/// The command line. Exit code 0 if every mutant was caught, 1 if one survived or something did not work, 2 for a run
/// that can't be.
/// </summary>
internal sealed class MutantCommandLine
{
    private const int Failure = 1;
    private const int UsageError = 2;

    private readonly Option<bool> _list = new("--list") { Description = "Lists the mutants and tries none." };

    private readonly Option<string[]> _only = new("--only")
    {
        Description = "Tries this mutant; may be given several times. [default: all]",
        HelpName = "NAME",
        DefaultValueFactory = _ => [],
    };

    private readonly Option<int> _rotate = new("--rotate")
    {
        Description = "Tries this many, others for every commit, so that all have their turn. [default: all]",
        HelpName = "N",
    };

    private readonly Option<string> _hunters = new("--hunters")
    {
        Description = "Who is sent out.",
        HelpName = "NAMES",
        DefaultValueFactory = _ => string.Join(',', MutantRun.HunterNames),
    };

    private readonly Option<double> _fast = Number("--fast-minutes", 5, "Minutes for the fast tests of a mutant.");

    private readonly Option<double> _explorer = Number(
        "--explorer-seconds", 180, "Seconds for the explorer; it has to come to an end in them.");

    private readonly Option<double> _simulator = Number(
        "--simulator-seconds", 60, "Seconds for the simulator, in all its profiles together.");

    private readonly Option<bool> _keepGoing = new("--keep-going")
    {
        Description = "Goes on after a mutant that survived or could not be tried.",
    };

    private readonly Option<bool> _skipBaseline = new("--skip-baseline")
    {
        Description = "Does not try the code as it is first. Tests that do not come to an end then catch nothing.",
    };

    private readonly Option<string?> _report = new("--report")
    {
        Description = "Writes the table to this file, in Markdown.",
        HelpName = "FILE",
    };

    public async Task<int> RunAsync(string[] args)
    {
        var root = new RootCommand(
            "Plants bugs, one after the other, in a copy of the library, and looks who catches them.")
        {
            _list, _only, _rotate, _hunters, _fast, _explorer, _simulator, _keepGoing, _skipBaseline, _report,
        };
        root.SetAction((parsed, cancellation) => RunAsync(parsed, cancellation));
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            return Refuse(parsed.Errors.Select(error => error.Message));
        }

        return await parsed.InvokeAsync(new InvocationConfiguration
        {
            EnableDefaultExceptionHandler = false,

            // Time to end the process that is running, and to delete the copy.
            ProcessTerminationTimeout = TimeSpan.FromSeconds(30),
        });
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        try
        {
            var options = Read(parsed);
            var all = Mutant.ReadAll(options.Root);
            var unknown = options.Only.Except(all.Select(one => one.Name));
            var problems = options.Problems().Concat(unknown.Select(name => $"There is no mutant '{name}'.")).ToList();
            if (problems.Count > 0)
            {
                return Refuse(problems);
            }

            var chosen = await ChooseAsync(options, all, cancellationToken);
            if (parsed.GetValue(_list))
            {
                List(chosen);
                return 0;
            }

            return await new MutantRun(options, Console.Out).RunAsync(chosen, cancellationToken) ? 0 : Failure;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync("Stopped.");
            return Failure;
        }
        catch (Exception exception)
        {
            await Console.Error.WriteLineAsync($"The run failed: {exception}");
            return Failure;
        }
    }

    private static async Task<IReadOnlyList<Mutant>> ChooseAsync(
        MutantOptions options, IReadOnlyList<Mutant> all, CancellationToken cancellationToken)
    {
        if (options.Rotate == 0)
        {
            return [.. all.Where(one => options.Only.Count == 0 || options.Only.Contains(one.Name))];
        }

        var turn = await Turn.OfAsync(options.Root, cancellationToken);
        var chosen = Mutant.OfTurn(all, turn.Number, options.Rotate);
        Console.WriteLine($"Turn of {turn}: {string.Join(", ", chosen.Select(one => one.Name))}");
        return chosen;
    }

    private static void List(IReadOnlyList<Mutant> mutants)
    {
        foreach (var mutant in mutants)
        {
            Console.WriteLine($"{mutant.Rule,-12} {mutant.Name}: {mutant.Bug}");
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{mutants.Count} mutants"));
    }

    private MutantOptions Read(ParseResult parsed)
    {
        var report = parsed.GetValue(_report);
        return new()
        {
            Root = FindRoot(),
            Only = parsed.GetValue(_only)!,
            Rotate = parsed.GetValue(_rotate),
            Hunters = parsed.GetValue(_hunters)!.Split(',', StringSplitOptions.TrimEntries),
            FastBudget = TimeSpan.FromMinutes(parsed.GetValue(_fast)),
            ExplorerBudget = TimeSpan.FromSeconds(parsed.GetValue(_explorer)),
            SimulatorBudget = TimeSpan.FromSeconds(parsed.GetValue(_simulator)),
            KeepGoing = parsed.GetValue(_keepGoing),
            SkipBaseline = parsed.GetValue(_skipBaseline),
            Report = report is null ? null : Path.GetFullPath(report),
        };
    }

    private static string FindRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "Orleans.Consensus.sln")))
        {
            directory = directory.Parent;
        }

        return directory?.FullName
            ?? throw new DirectoryNotFoundException("Orleans.Consensus.sln is not above this program.");
    }

    private static int Refuse(IEnumerable<string> problems)
    {
        foreach (var problem in problems)
        {
            Console.Error.WriteLine(problem);
        }

        Console.Error.WriteLine("--help lists what is possible.");
        return UsageError;
    }

    private static Option<double> Number(string name, double value, string description) => new(name)
    {
        Description = description,
        HelpName = "N",
        DefaultValueFactory = _ => value,
    };
}
