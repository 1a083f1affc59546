using Microsoft.Extensions.DependencyInjection;
using Orleans.Consensus.ClusterTests.Support;
using Orleans.Consensus.SampleSilo.Bank;
using Orleans.Hosting;
using Orleans.Runtime;
using Orleans.Storage;

namespace Orleans.Consensus.ClusterTests.Bank;

/// <summary>Transfers that stop halfway, and whose clients never ask again; and transfers that repeat.</summary>
public sealed class AbandonedTransferTests : IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);
    private static readonly TransferOrder Order = new("alice", "bob", 30);

    private readonly TemporaryDirectory _directory = new();
    private readonly HeldCredits _credits = new();
    private readonly ClusterPlan _plan;

    public AbandonedTransferTests() => _plan = new()
    {
        Directory = _directory.Path,
        Silo = (_, silo) =>
        {
            silo.Services.AddSingleton<IGrainStorageSerializer, OrleansGrainStorageSerializer>();
            silo.Services.AddSingleton<IIncomingGrainCallFilter>(_credits);
            silo.Configure<BankOptions>(options => options.AlarmPeriod = Period);
            silo.UseConsensusReminders();
            silo.Configure<ReminderOptions>(options => options.MinimumReminderPeriod = Period);
        },
    };

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_transfer_is_finished_when_its_activation_is_gone()
    {
        await using var cluster = await TestedCluster.StartAsync(_plan);
        var client = await AbandonAsync(cluster);
        _credits.Release();
        await Assert.ThrowsAsync<TimeoutException>(() => client);

        await cluster.Client.GetGrain<IManagementGrain>(0).ForceActivationCollection(TimeSpan.Zero);

        await AssertDoneAsync(cluster);
    }

    [Fact]
    public async Task A_transfer_is_finished_when_its_silo_is_killed()
    {
        await using var cluster = await TestedCluster.StartAsync(_plan);
        _ = await AbandonAsync(cluster);

        await cluster.KillAsync(cluster.Alive.Single(silo => cluster.Address(silo).Equals(_credits.Silo)));
        _credits.Release();

        await AssertDoneAsync(cluster);
    }

    [Fact]
    public async Task A_transfer_is_finished_when_all_silos_were_killed()
    {
        await using (var cluster = await TestedCluster.StartAsync(_plan))
        {
            _ = await AbandonAsync(cluster);
        }

        _credits.Release();
        await using var again = await TestedCluster.StartAsync(_plan);

        await AssertDoneAsync(again);
    }

    [Fact]
    public async Task A_standing_order_goes_on_over_a_killed_silo_and_a_restarted_cluster()
    {
        _credits.Release();
        var terms = new StandingOrderTerms(Order, Period, Times: 6);
        await using (var cluster = await TestedCluster.StartAsync(_plan))
        {
            await FundAsync(cluster);
            await Eventually.SucceedsAsync(() => StandingOrder(cluster).PlaceAsync(terms));
            await UntilAsync(cluster, state => state.Done >= 1);
            await cluster.KillAsync(1);
            await UntilAsync(cluster, state => state.Done >= 3);
        }

        await using var again = await TestedCluster.StartAsync(_plan);
        await UntilAsync(again, state => state.Stage == StandingOrderStage.Ended);

        Assert.Equal((20m, 180m), await BalancesAsync(again));
        await AssertNoAlarmAsync(again);
    }

    /// <summary>Begins a transfer that stops halfway; returns the client's call, which nobody repeats.</summary>
    private async Task<Task> AbandonAsync(TestedCluster cluster)
    {
        await FundAsync(cluster);
        var client = Transfer(cluster).ExecuteAsync(Order);
        await Task.WhenAny(_credits.Held, client);
        Assert.True(_credits.Held.IsCompleted, client.Exception?.ToString());
        return client;
    }

    private static async Task AssertDoneAsync(TestedCluster cluster)
    {
        await Eventually.BecomesAsync(() => BalancesAsync(cluster), balances => balances == (170m, 30m));
        await Eventually.BecomesAsync(Transfer(cluster).GetAsync, view => view?.State == TransferStage.Done);
        await AssertNoAlarmAsync(cluster);
        Assert.Equal((170m, 30m), await BalancesAsync(cluster));
    }

    private static async Task AssertNoAlarmAsync(TestedCluster cluster)
    {
        var table = cluster.Services(cluster.Alive.First()).GetRequiredService<IReminderTable>();
        await Eventually.BecomesAsync(async () => (await table.ReadRows(0, 0)).Reminders.Count, count => count == 0);
    }

    private static async Task FundAsync(TestedCluster cluster) => await Eventually.SucceedsAsync(
        () => Account(cluster, "alice").ApplyAsync(new(OperationKind.Deposit, "fund", 200)));

    private static async Task<(decimal From, decimal To)> BalancesAsync(TestedCluster cluster)
    {
        var accounts = await Eventually.SucceedsAsync(() => Task.WhenAll(
            Account(cluster, "alice").GetAsync(fresh: true), Account(cluster, "bob").GetAsync(fresh: true)));
        return (accounts[0].Balance, accounts[1].Balance);
    }

    private static async Task UntilAsync(TestedCluster cluster, Func<StandingOrderState, bool> expected) =>
        await Eventually.BecomesAsync(StandingOrder(cluster).GetAsync, view => expected(view!.State));

    private static IAccountGrain Account(TestedCluster cluster, string id) =>
        cluster.Client.GetGrain<IAccountGrain>(id);

    private static ITransferGrain Transfer(TestedCluster cluster) => cluster.Client.GetGrain<ITransferGrain>("t1");

    private static IStandingOrderGrain StandingOrder(TestedCluster cluster) =>
        cluster.Client.GetGrain<IStandingOrderGrain>("rent");
}
