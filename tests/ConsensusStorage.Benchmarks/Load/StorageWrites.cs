using Orleans.Consensus.Benchmarks.Cluster;
using Orleans.Runtime;

namespace Orleans.Consensus.Benchmarks.Load;

/// <summary>Each caller writes its own states in turn, through the provider of one silo.</summary>
internal sealed class StorageWrites(BenchmarkCluster cluster, BenchmarkOptions options) : IWorkload
{
    public const string WorkloadName = "storage writes";

    private StorageAccount[][] _accounts = [];
    private string _provider = "";
    private int _runs;

    public string Name => WorkloadName;

    public IReadOnlyList<string> Subjects => options.Providers;

    public IReadOnlyList<int> Concurrency => options.Concurrency;

    public TimeSpan Warmup => options.Warmup;

    public async Task<IReadOnlyList<Call>> PrepareAsync(
        string subject, int concurrency, CancellationToken cancellationToken)
    {
        _provider = subject;
        var run = _runs++;
        _accounts = [.. Enumerable.Range(0, concurrency).Select(caller => AccountsOf(run, caller))];
        await Parallel.ForEachAsync(
            _accounts.SelectMany(accounts => accounts),
            new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = cancellationToken },
            async (account, _) => await account.DepositAsync());
        return [.. _accounts.Select(CallsOf)];
    }

    /// <summary>
    /// One state of each caller is read through another silo. Then blobs are deleted: Azurite looks through all that
    /// it has for each request, and the next measurement would be slower.
    /// </summary>
    public async Task VerifyAsync()
    {
        for (var caller = 0; caller < _accounts.Length; caller++)
        {
            var account = _accounts[caller][0];
            await StorageAccount.CheckAsync(
                cluster.Storage(caller + 1, _provider), account.Grain, account.Version);
        }

        if (Provider.Of(_provider).Needs == ServerKind.Azurite)
        {
            await Parallel.ForEachAsync(
                _accounts.SelectMany(accounts => accounts), async (account, _) => await account.ClearAsync());
        }
    }

    private StorageAccount[] AccountsOf(int run, int caller)
    {
        var storage = cluster.Storage(caller, _provider);
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
