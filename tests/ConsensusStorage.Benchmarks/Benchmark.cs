using System.Globalization;
using Orleans.Consensus.Benchmarks.Bank;
using Orleans.Consensus.Benchmarks.Cluster;
using Orleans.Consensus.Benchmarks.Load;
using Orleans.Consensus.Benchmarks.Report;

namespace Orleans.Consensus.Benchmarks;

/// <summary>Runs what was asked for, and reports it.</summary>
internal static class Benchmark
{
    private static readonly TimeSpan FirstWarmup = TimeSpan.FromSeconds(20);

    public static async Task RunAsync(
        BenchmarkOptions options, TextWriter output, CancellationToken cancellationToken)
    {
        switch (options.Mode)
        {
            case BenchmarkMode.Memory:
                var memory = IndexMemory.Measure(options.Registers);
                new JsonLines(options.Json).Memory(memory);
                await output.WriteLineAsync(memory.ToString());
                break;
            case BenchmarkMode.TakeOver:
                var takeOver = await TakeOver.MeasureAsync(options, cancellationToken);
                new JsonLines(options.Json).TakeOver(takeOver);
                await output.WriteLineAsync(takeOver.ToString());
                break;
            default:
                await CompareAsync(options, output, cancellationToken);
                break;
        }
    }

    private static async Task CompareAsync(
        BenchmarkOptions options, TextWriter output, CancellationToken cancellationToken)
    {
        var data = Path.Combine(
            options.Data, string.Create(CultureInfo.InvariantCulture, $"run-{Environment.ProcessId}"));
        Directory.CreateDirectory(data);
        try
        {
            await using var cluster = await BenchmarkCluster.StartAsync(options, data, cancellationToken);
            var state = new BankState();
            state.Deposit(1000.25m);
            var machine = MachineDescription.Here(cluster.Serializer.Serialize(state).ToMemory().Length);
            var json = new JsonLines(options.Json);
            json.Machine(machine);
            output.WriteLine(machine);
            var workloads = WorkloadsOf(cluster, options);
            var results = await MeasureAsync(cluster, workloads, options, json, output, cancellationToken);
            results.ForEach(json.Median);
            Tables.Write(output, results);
            SizeTable.Write(output, workloads.OfType<SizedStates>(), results);
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    /// <summary>Round by round, so that a disturbance of the machine meets all providers alike.</summary>
    private static async Task<List<Result>> MeasureAsync(
        BenchmarkCluster cluster,
        IWorkload[] workloads,
        BenchmarkOptions options,
        JsonLines json,
        TextWriter output,
        CancellationToken cancellationToken)
    {
        await WarmUpAsync(cluster, workloads.First(workload => workload.Concurrency.Count > 0), cancellationToken);
        var figures = new Dictionary<Subject, List<Figures>>();
        for (var round = 1; round <= options.Rounds; round++)
        {
            foreach (var (workload, subject) in SubjectsOf(workloads, round))
            {
                var measured = await MeasureAsync(cluster, workload, subject, options.Duration, cancellationToken);
                json.Round(round, subject, measured);
                output.WriteLine($"{round}: {Tables.Row(new(subject, [measured]))}");
                if (!figures.TryAdd(subject, [measured]))
                {
                    figures[subject].Add(measured);
                }
            }
        }

        return [.. from workload in workloads
                   from callers in workload.Concurrency
                   from provider in workload.Subjects
                   let subject = new Subject(workload.Name, callers, provider)
                   select new Result(subject, figures[subject])];
    }

    private static IWorkload[] WorkloadsOf(BenchmarkCluster cluster, BenchmarkOptions options) => options.Mode switch
    {
        BenchmarkMode.Storage => [new StorageWrites(cluster, options), new StorageColdReads(cluster, options)],
        BenchmarkMode.Grain => [new GrainWrites(cluster, options), new GrainColdReads(cluster, options)],
        BenchmarkMode.Blob =>
        [
            new StorageWrites(cluster, options),
            new StorageColdReads(cluster, options),
            new RawAppends(cluster, options),
        ],
        BenchmarkMode.Sizes =>
        [
            .. options.Sizes.Select(size => new SizedStates(cluster, options, size, reads: false)),
            .. options.Sizes.Select(size => new SizedStates(cluster, options, size, reads: true)),
        ],
        _ => throw new ArgumentOutOfRangeException(nameof(options), options.Mode, "Not for a cluster."),
    };

    /// <summary>Without it the first round would measure the compiler, which optimizes while the code runs.</summary>
    private static async Task WarmUpAsync(
        BenchmarkCluster cluster, IWorkload workload, CancellationToken cancellationToken)
    {
        foreach (var provider in workload.Subjects)
        {
            var subject = new Subject(workload.Name, workload.Concurrency.Max(), provider);
            await MeasureAsync(cluster, workload, subject, FirstWarmup, cancellationToken);
        }
    }

    /// <summary>Each round begins with another provider.</summary>
    private static IEnumerable<(IWorkload Workload, Subject Subject)> SubjectsOf(IWorkload[] workloads, int round) =>
        from workload in workloads
        let first = (round - 1) % workload.Subjects.Count
        from callers in workload.Concurrency
        from provider in workload.Subjects.Skip(first).Concat(workload.Subjects.Take(first))
        select (workload, new Subject(workload.Name, callers, provider));

    private static async Task<Figures> MeasureAsync(
        BenchmarkCluster cluster,
        IWorkload workload,
        Subject subject,
        TimeSpan duration,
        CancellationToken cancellationToken)
    {
        var callers = await workload.PrepareAsync(subject.Provider, subject.Concurrency, cancellationToken);
        var loop = new ClosedLoop(cluster.Servers);
        var result = await loop.RunAsync(callers, workload.Warmup, duration, cancellationToken);
        await workload.VerifyAsync();
        return Figures.Of(result);
    }
}
