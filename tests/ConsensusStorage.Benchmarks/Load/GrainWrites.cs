using Orleans.Consensus.Benchmarks.Bank;
using Orleans.Consensus.Benchmarks.Cluster;

namespace Orleans.Consensus.Benchmarks.Load;

/// <summary>Each caller has its own grains deposit in turn: client, grain, <c>WriteStateAsync</c>.</summary>
internal sealed class GrainWrites(BenchmarkCluster cluster, BenchmarkOptions options) : IWorkload
{
    private int _runs;

    public string Name => "grain writes";

    public IReadOnlyList<string> Subjects => options.Providers;

    public IReadOnlyList<int> Concurrency => options.Concurrency;

    public TimeSpan Warmup => options.Warmup;

    public async Task<IReadOnlyList<Call>> PrepareAsync(
        string subject, int concurrency, CancellationToken cancellationToken)
    {
        var run = _runs++;
        var provider = Provider.Of(subject);
        var accounts = Enumerable.Range(0, concurrency)
            .Select(caller => Enumerable.Range(0, options.Accounts)
                .Select(account => provider.Account(cluster.Grains, $"{run}-{caller}-{account}"))
                .ToArray())
            .ToArray();
        await Parallel.ForEachAsync(
            accounts.SelectMany(own => own),
            new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = cancellationToken },
            async (account, _) => await account.DepositAsync(1));
        return [.. accounts.Select(CallsOf)];
    }

    public Task VerifyAsync() => Task.CompletedTask;

    private static Call CallsOf(IBankAccount[] accounts)
    {
        var next = 0;
        return async () =>
        {
            await accounts[next++ % accounts.Length].DepositAsync(1.25m);
            return true;
        };
    }
}
