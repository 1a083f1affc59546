using System.CommandLine;
using System.Globalization;
using Orleans.Consensus.Azurite;
using Orleans.Consensus.Benchmarks.Cluster;

namespace Orleans.Consensus.Benchmarks;

/// <summary>The command line of the benchmark. Exit code 0, 1 for a run that failed, 2 for one that can't be.</summary>
internal sealed class BenchmarkCommandLine
{
    private const int Failure = 1;
    private const int UsageError = 2;

    private const string Providers = "consensus,memory,redis";
    private const string Concurrency = "1,16,64,256";
    private const string Reads = "1,16";
    private const string Accounts = "8";
    private const string BlobConcurrency = "1,64,256";
    private const string BlobAccounts = "1";
    private const string SizedConcurrency = "1,16,128";
    private const string Sizes = "0,1024,65536,1048576,max";
    private const string Largest = "max";
    private const string None = "none";

    private static readonly string BlobProviders =
        string.Join(',', Provider.OverBlobs.Select(provider => provider.Name));

    private readonly Option<string> _mode = Text(
        "--mode",
        "storage",
        "storage (IGrainStorage of a silo), grain (client, grain, state), blob (storage over Azurite, and appends), "
        + "sizes (reads and writes of states of different sizes), memory (index), takeover (a log in blobs).");

    private readonly Option<string?> _providers = OfMode(
        "--providers", "What is compared, in one run.", Providers, BlobProviders);

    private readonly Option<string?> _concurrency = OfMode(
        "--concurrency", "Callers at a time, of writes.", Concurrency, BlobConcurrency);

    private readonly Option<string?> _reads = OfMode(
        "--reads", "Callers at a time, of cold activation reads; none for no reads.", Reads, None);

    private readonly Option<string> _sizes = Text(
        "--sizes", Sizes, "Bytes of the states of --mode sizes; max is the default of MaxStateBytes.");

    private readonly Option<int> _rounds = Number("--rounds", 3, "Rounds; results are medians of them.");
    private readonly Option<double> _seconds = Seconds("--seconds", 10, "Seconds of each measurement.");
    private readonly Option<double> _warmup = Seconds("--warmup", 2, "Seconds that run before and don't count.");
    private readonly Option<string?> _accounts = OfMode(
        "--accounts", "Grain states of each caller, written in turn.", Accounts, BlobAccounts);

    private readonly Option<int> _coldKeys = Number(
        "--cold-keys", 20_000, "States written for the cold reads of a round and concurrency.");

    private readonly Option<int> _registers = Number(
        "--registers", 200_000, "Registers of --mode memory and takeover.");

    private readonly Option<string?> _data = new("--data")
    {
        Description = "Directory of all logs and servers. [default: artifacts/benchmarks in the repository]",
        HelpName = "DIR",
    };

    private readonly Option<string?> _json = new("--json")
    {
        Description = "Appends each measurement, and each median, as a line of JSON.",
        HelpName = "FILE",
    };

    public async Task<int> RunAsync(string[] args)
    {
        var root = new RootCommand(
            "Measures grain storage in three silos of one process over loopback TCP, 200-byte states, closed loop.")
        {
            _mode, _providers, _concurrency, _reads, _sizes, _rounds, _seconds, _warmup, _accounts, _coldKeys,
            _registers, _data, _json,
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

            // Time to stop servers and silos, and to delete their files.
            ProcessTerminationTimeout = TimeSpan.FromSeconds(30),
        });
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        try
        {
            var options = Read(parsed);
            var problems = options.Problems().ToList();
            if (problems.Count > 0)
            {
                return Refuse(problems);
            }

            await Benchmark.RunAsync(options, Console.Out, cancellationToken);
            return 0;
        }
        catch (FormatException exception)
        {
            return Refuse([exception.Message]);
        }
        catch (Exception exception) when (exception is RedisMissingException or AzuriteException)
        {
            return Refuse([exception.Message]);
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

    private BenchmarkOptions Read(ParseResult parsed)
    {
        var mode = ModeOf(parsed.GetValue(_mode)!);
        var json = parsed.GetValue(_json);
        var blobs = mode == BenchmarkMode.Blob;
        var sized = mode == BenchmarkMode.Sizes;
        return new()
        {
            Mode = mode,
            Providers = ListOf(
                parsed.GetValue(_providers) ?? (sized ? Provider.Consensus : blobs ? BlobProviders : Providers)),
            Concurrency = NumbersOf(
                parsed.GetValue(_concurrency) ?? (sized ? SizedConcurrency : blobs ? BlobConcurrency : Concurrency)),
            ReadConcurrency = NumbersOf(parsed.GetValue(_reads) ?? (sized ? SizedConcurrency : blobs ? None : Reads)),
            Sizes = [.. ListOf(parsed.GetValue(_sizes)!).Select(SizeOf)],
            Rounds = parsed.GetValue(_rounds),
            Duration = TimeSpan.FromSeconds(parsed.GetValue(_seconds)),
            Warmup = TimeSpan.FromSeconds(parsed.GetValue(_warmup)),
            Accounts = NumberOf(parsed.GetValue(_accounts) ?? (blobs ? BlobAccounts : Accounts)),
            ColdKeys = parsed.GetValue(_coldKeys),
            Registers = parsed.GetValue(_registers),
            Data = Path.GetFullPath(parsed.GetValue(_data) ?? DefaultData()),
            Json = json is null ? null : Path.GetFullPath(json),
        };
    }

    private static BenchmarkMode ModeOf(string mode) =>
        Enum.TryParse<BenchmarkMode>(mode, ignoreCase: true, out var known) && Enum.IsDefined(known)
            ? known
            : throw new FormatException(
                $"There is no mode '{mode}'; known are storage, grain, blob, sizes, memory, takeover.");

    private static string DefaultData()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "Orleans.Consensus.sln")))
        {
            directory = directory.Parent;
        }

        return Path.Combine(directory?.FullName ?? ".", "artifacts", "benchmarks");
    }

    private static List<string> ListOf(string text) =>
        [.. text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Distinct()];

    private static List<int> NumbersOf(string text) => text == None
        ? []
        : [.. ListOf(text).Select(NumberOf)];

    private static int SizeOf(string text) => text == Largest ? BenchmarkOptions.LargestState : NumberOf(text);

    private static int NumberOf(string text) => int.TryParse(text, CultureInfo.InvariantCulture, out var value)
        ? value
        : throw new FormatException($"'{text}' is not a number.");

    private static int Refuse(IEnumerable<string> problems)
    {
        foreach (var problem in problems)
        {
            Console.Error.WriteLine(problem);
        }

        Console.Error.WriteLine("--help lists what is possible.");
        return UsageError;
    }

    private static Option<string> Text(string name, string value, string description) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => value,
    };

    /// <summary>An option whose default is another one for blobs.</summary>
    private static Option<string?> OfMode(string name, string description, string value, string ofBlobs) => new(name)
    {
        Description = $"{description} [default: {value}; blob: {ofBlobs}]",
    };

    private static Option<int> Number(string name, int value, string description) => new(name)
    {
        Description = description,
        HelpName = "N",
        DefaultValueFactory = _ => value,
    };

    private static Option<double> Seconds(string name, double value, string description) => new(name)
    {
        Description = description,
        HelpName = "S",
        DefaultValueFactory = _ => value,
    };
}
