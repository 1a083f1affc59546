using Orleans.Consensus.Benchmarks.Cluster;
using Orleans.Runtime;

namespace Orleans.Consensus.Benchmarks.Load;

/// <summary>Each caller writes its own states in turn, through the provider of one silo.</summary>
internal sealed class StorageWrites(BenchmarkCluster cluster, BenchmarkOptions options) : IWorkload
{
    private StorageAccount[][] _accounts = [];
    private Provider? _provider;
    private int _runs;

    public string Name => "storage writes";

    public IReadOnlyList<int> Concurrency => options.Concurrency;

    public TimeSpan Warmup => options.Warmup;

    public async Task<IReadOnlyList<Call>> PrepareAsync(
        Provider provider, int concurrency, CancellationToken cancellationToken)
    {
        _provider = provider;
        var run = _runs++;
        _accounts = [.. Enumerable.Range(0, concurrency).Select(caller => AccountsOf(run, caller))];
        await Parallel.ForEachAsync(
            _accounts.SelectMany(accounts => accounts),
            new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = cancellationToken },
            async (account, _) => await account.DepositAsync());
        return [.. _accounts.Select(CallsOf)];
    }

    /// <summary>One state of each caller is read through another silo.</summary>
    public async Task VerifyAsync()
    {
        for (var caller = 0; caller < _accounts.Length; caller++)
        {
            var account = _accounts[caller][0];
            await StorageAccount.CheckAsync(
                cluster.Storage(caller + 1, _provider!.Name), account.Grain, account.Version);
        }
    }

    private StorageAccount[] AccountsOf(int run, int caller)
    {
        var storage = cluster.Storage(caller, _provider!.Name);
        return [.. Enumerable.Range(0, options.Accounts).Select(account => new StorageAccount(
            storage, GrainId.Create("account", $"{run}-{caller}-{account}")))];
    }

    private static Call CallsOf(StorageAccount[] accounts)
    {
        var next = 0;
        return async () =>
        {
            await accounts[next++ % accounts.Length].DepositAsync();
            return true;
        };
    }
}
