using System.Globalization;
using System.Security.Cryptography;
using Orleans.Consensus.Benchmarks.Cluster;
using Orleans.Runtime;

namespace Orleans.Consensus.Benchmarks.Load;

/// <summary>
/// States of one size, one for each caller: written again and again through one silo, or read again and again through
/// another one than they were written through.
/// </summary>
internal sealed class SizedStates(BenchmarkCluster cluster, BenchmarkOptions options, int size, bool reads) : IWorkload
{
    /// <summary>The provider, which stores bytes as they are.</summary>
    public const string Provider = "consensus-bytes";

    private const string StateName = "sized";
    private const int MostAtOnce = 64;
    private const int MostBytesAtOnce = 16 * 1024 * 1024;

    private readonly byte[] _bytes = RandomNumberGenerator.GetBytes(size);
    private readonly Dictionary<int, int> _failures = [];
    private int _runs;
    private int _failed;
    private int _concurrency;

    public string Name { get; } =
        string.Create(CultureInfo.InvariantCulture, $"{(reads ? "reads" : "writes")} of {size} B");

    public int Size => size;

    public bool Reads => reads;

    public IReadOnlyList<string> Subjects => [Benchmarks.Provider.Consensus];

    public IReadOnlyList<int> Concurrency => reads ? options.ReadConcurrency : options.Concurrency;

    public TimeSpan Warmup => options.Warmup;

    public async Task<IReadOnlyList<Call>> PrepareAsync(
        string subject, int concurrency, CancellationToken cancellationToken)
    {
        var run = _runs++;
        (_failed, _concurrency) = (0, concurrency);
        var states = Enumerable.Range(0, concurrency)
            .Select(caller => new Caller(caller, GrainId.Create("sized", $"{reads}-{size}-{run}-{caller}"), new()))
            .ToArray();
        var atOnce = Math.Clamp(MostBytesAtOnce / Math.Max(size, 1), 1, MostAtOnce);
        await Parallel.ForEachAsync(
            states,
            new ParallelOptions { MaxDegreeOfParallelism = atOnce, CancellationToken = cancellationToken },
            async (state, _) => await WriteAsync(state));
        return [.. states.Select(CallsOf)];
    }

    /// <summary>Remembers how many calls failed.</summary>
    public Task VerifyAsync()
    {
        _failures[_concurrency] = FailuresOf(_concurrency) + _failed;
        return Task.CompletedTask;
    }

    /// <summary>Calls that ended without an answer in all rounds, warm-up included.</summary>
    public int FailuresOf(int concurrency) => _failures.GetValueOrDefault(concurrency);

    /// <summary>A store that gets more bytes than its disks take refuses some: counted, and not the end.</summary>
    private Call CallsOf(Caller caller) => async () =>
    {
        try
        {
            await (reads ? ReadAsync(caller) : WriteAsync(caller));
        }
        catch (ConsensusStorageException)
        {
            Interlocked.Increment(ref _failed);
        }

        return true;
    };

    private async Task WriteAsync(Caller caller)
    {
        caller.State.State = new() { Bytes = _bytes };
        await cluster.Storage(caller.Number, Provider).WriteStateAsync(StateName, caller.Grain, caller.State);
    }

    private async Task ReadAsync(Caller caller)
    {
        var read = new GrainState<SizedState>(new());
        await cluster.Storage(caller.Number + 1, Provider).ReadStateAsync(StateName, caller.Grain, read);
        if (!read.RecordExists || !read.State!.Bytes.Span.SequenceEqual(_bytes))
        {
            throw new InvalidOperationException($"{caller.Grain} was read, and is not what had been written.");
        }
    }

    private sealed record Caller(int Number, GrainId Grain, GrainState<SizedState> State);
}
