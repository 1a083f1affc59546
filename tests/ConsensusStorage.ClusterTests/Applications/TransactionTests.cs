using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;
using Orleans.Consensus.ClusterTests.Support;
using Orleans.Hosting;

namespace Orleans.Consensus.ClusterTests.Applications;

/// <summary>Orleans Transactions with their state in the provider.</summary>
public sealed class TransactionTests : IAsyncLifetime
{
    private const int Accounts = 12;

    /// <summary>A participant that was killed may hold locks until Orleans has found out about it.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(90);

    private readonly TemporaryDirectory _directory = new();
    private TestedCluster? _cluster;

    private TestedCluster Cluster => _cluster!;

    private ITransferDesk Desk => Cluster.Client.GetGrain<ITransferDesk>(0);

    public async ValueTask InitializeAsync() => _cluster = await TestedCluster.StartAsync(new()
    {
        Directory = _directory.Path,
        RequestTimeout = TimeSpan.FromSeconds(8),
        Silo = (_, silo) =>
        {
            silo.UseTransactions();
            silo.AddConsensusGrainStorage(TransactionalAccount.Storage);
            silo.Services.Configure<TransactionalStateOptions>(options =>
            {
                options.LockTimeout = TimeSpan.FromSeconds(4);
                options.LockAcquireTimeout = TimeSpan.FromSeconds(4);
                options.PrepareTimeout = TimeSpan.FromSeconds(5);
                options.RemoteTransactionPingFrequency = TimeSpan.FromSeconds(5);
                options.ConfirmationRetryDelay = TimeSpan.FromSeconds(1);
            });
        },
    });

    public async ValueTask DisposeAsync()
    {
        if (_cluster is not null)
        {
            await _cluster.DisposeAsync();
        }

        _directory.Dispose();
    }

    [Fact]
    public async Task Transfers_conserve_money_also_when_a_silo_is_killed_among_them()
    {
        await Eventually.SucceedsAsync(() => Desk.MoveAsync(0, 1, 30));
        var balances = await Desk.ReadAllAsync(Accounts);
        Assert.Equal(TransactionalAccount.Opening - 30, balances[0]);
        Assert.Equal(TransactionalAccount.Opening + 30, balances[1]);

        using var stop = new CancellationTokenSource();
        var done = new int[3];
        var clients = Task.WhenAll(done.Select((_, client) => Task.Run(() => MoveAsync(client, done, stop.Token))));
        await DoneAsync(done, 10);
        await Cluster.KillAsync(1);
        await DoneAsync(done, 10);
        await Cluster.StartSiloAsync(1);
        await Cluster.UntilAllServeAsync();
        await DoneAsync(done, 5);
        await stop.CancelAsync();
        await clients;

        balances = await Eventually.SucceedsAsync(() => Desk.ReadAllAsync(Accounts), Settling);
        Assert.Equal(Accounts * TransactionalAccount.Opening, balances.Sum());
    }

    private static async Task DoneAsync(int[] done, int more)
    {
        var goal = done.Sum() + more;
        await Eventually.BecomesAsync(() => Task.FromResult(done.Sum()), sum => sum >= goal, Settling);
    }

    private async Task MoveAsync(int client, int[] done, CancellationToken stop)
    {
        var random = new Random(client);
        while (!stop.IsCancellationRequested)
        {
            var from = random.Next(Accounts);
            var to = (from + 1 + random.Next(Accounts - 1)) % Accounts;
            try
            {
                await Desk.MoveAsync(from, to, random.Next(1, 10));
                done[client]++;
            }
            catch (Exception exception) when (exception is not OutOfMemoryException)
            {
                // Aborted or in doubt: whatever became of it, it has to be all or nothing.
                await Task.Delay(TimeSpan.FromMilliseconds(50), CancellationToken.None);
            }
        }
    }
}
