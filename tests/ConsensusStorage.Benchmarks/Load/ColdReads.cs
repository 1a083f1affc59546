using Orleans.Consensus.Benchmarks.Bank;
using Orleans.Consensus.Benchmarks.Cluster;
using Orleans.Runtime;

namespace Orleans.Consensus.Benchmarks.Load;

/// <summary>
/// Reads as activations make them, of states that the reading silo has never touched: written through one silo, and
/// read once through each of the others.
/// </summary>
internal sealed class StorageColdReads(BenchmarkCluster cluster, BenchmarkOptions options) : IWorkload
{
    private const int Writer = 0;

    private int _runs;

    public string Name => "storage cold reads";

    public IReadOnlyList<string> Subjects => options.Providers;

    public IReadOnlyList<int> Concurrency => options.ReadConcurrency;

    public TimeSpan Warmup => TimeSpan.Zero;

    public async Task<IReadOnlyList<Call>> PrepareAsync(
        string subject, int concurrency, CancellationToken cancellationToken)
    {
        var run = _runs++;
        var grains = Enumerable.Range(0, options.ColdKeys)
            .Select(number => GrainId.Create("cold", $"{run}-{number}"))
            .ToArray();
        await ColdStates.WriteAsync(cluster.Storage(Writer, subject), grains, cancellationToken);
        const int readers = BenchmarkCluster.Silos - 1;
        var storages = Enumerable.Range(1, readers).Select(silo => cluster.Storage(silo, subject)).ToArray();
        var next = -1;
        Call call = async () =>
        {
            var number = Interlocked.Increment(ref next);
            if (number >= grains.Length * readers)
            {
                return false;
            }

            // First every state through one silo, then every state through the other.
            await StorageAccount.CheckAsync(storages[number / grains.Length], grains[number % grains.Length], 1);
            return true;
        };
        return [.. Enumerable.Repeat(call, concurrency)];
    }

    public Task VerifyAsync() => Task.CompletedTask;
}

/// <summary>Calls of grains that were never active before: client, placement, activation, read, answer.</summary>
internal sealed class GrainColdReads(BenchmarkCluster cluster, BenchmarkOptions options) : IWorkload
{
    private int _runs;

    public string Name => "grain cold reads";

    public IReadOnlyList<string> Subjects => options.Providers;

    public IReadOnlyList<int> Concurrency => options.ReadConcurrency;

    public TimeSpan Warmup => TimeSpan.Zero;

    public async Task<IReadOnlyList<Call>> PrepareAsync(
        string subject, int concurrency, CancellationToken cancellationToken)
    {
        var run = _runs++;
        var provider = Provider.Of(subject);
        var accounts = Enumerable.Range(0, options.ColdKeys)
            .Select(number => provider.Account(cluster.Grains, $"cold-{run}-{number}"))
            .ToArray();
        await ColdStates.WriteAsync(
            cluster.Storage(0, subject),
            [.. accounts.Select(account => account.GetGrainId())],
            cancellationToken);
        var next = -1;
        Call call = async () =>
        {
            var number = Interlocked.Increment(ref next);
            if (number >= accounts.Length)
            {
                return false;
            }

            return await accounts[number].GetVersionAsync() == 1
                ? true
                : throw new InvalidOperationException($"{accounts[number].GetGrainId()} did not find its state.");
        };
        return [.. Enumerable.Repeat(call, concurrency)];
    }

    public Task VerifyAsync() => Task.CompletedTask;
}

/// <summary>States that are written once, to be read by somebody else.</summary>
internal static class ColdStates
{
    public static Task WriteAsync(
        Storage.IGrainStorage storage, IReadOnlyList<GrainId> grains, CancellationToken cancellationToken) =>
        Parallel.ForEachAsync(
            grains,
            new ParallelOptions { MaxDegreeOfParallelism = 128, CancellationToken = cancellationToken },
            async (grain, _) => await new StorageAccount(storage, grain).DepositAsync());
}
