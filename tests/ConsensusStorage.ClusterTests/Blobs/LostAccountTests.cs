using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Consensus.ClusterTests.Support;

namespace Orleans.Consensus.ClusterTests.Blobs;

/// <summary>Storage accounts, or the logs in them, go away while grains write.</summary>
[Collection(nameof(BreakableAccounts))]
public sealed class LostAccountTests(BreakableAccounts accounts) : IAsyncLifetime
{
    public async ValueTask InitializeAsync() => await accounts.RestoreAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task One_of_three_accounts_is_killed_and_comes_back_and_nothing_acknowledged_is_lost()
    {
        var plan = accounts.NewPlan();
        await using var cluster = await TestedCluster.StartAsync(plan);
        await using var load = CounterLoad.Start(cluster.Client, clients: 4);
        await load.ProgressAsync(10);
        accounts[1].Kill();
        await load.ProgressAsync(10);
        var status = await Eventually.BecomesAsync(() => cluster.StatusAfterWritesAsync(0), SaysItCantBeReached);
        var where = accounts.ContainerOf(plan, 1).Uri.AbsoluteUri;
        Assert.Contains(
            status,
            replica => replica.Replica == "r1" && replica.Problem?.Contains(where, StringComparison.Ordinal) == true);

        await accounts[1].StartAgainAsync(TestContext.Current.CancellationToken);
        await cluster.UntilAllServeAsync();

        // From here on there is no quorum without it.
        accounts[2].Kill();
        await load.ProgressAsync(5);
        await load.VerifyAsync();
    }

    [Fact]
    [Trait("Rule", "S13")]
    public async Task Logs_that_are_deleted_while_they_are_in_use_are_reported_and_never_vote_again()
    {
        var plan = accounts.NewPlan();
        await using var cluster = await TestedCluster.StartAsync(plan);
        await using var load = CounterLoad.Start(cluster.Client, clients: 4);
        await load.ProgressAsync(10);
        await accounts.ContainerOf(plan, 0).DeleteAsync(
            cancellationToken: TestContext.Current.CancellationToken);

        var status = await Eventually.BecomesAsync(
            () => cluster.StatusAfterWritesAsync(1),
            seen => seen.Where(replica => replica.Replica == "r0").All(SaysItIsGone));
        await load.ProgressAsync(10);
        Assert.All(
            status.Where(replica => replica.Replica == "r0"),
            replica => Assert.NotEqual(ConsensusReplicaState.Serving, replica.State));

        await load.VerifyAsync();
        Assert.False(await accounts.ContainerOf(plan, 0).ExistsAsync(TestContext.Current.CancellationToken));

        // It has no vote: with another account gone there is no quorum.
        accounts[1].Kill();
        var client = new StorageClient(cluster, 2, StorageClient.NewId());
        await Assert.ThrowsAnyAsync<ConsensusStorageException>(() => client.WriteAsync(1));
        Assert.All(
            (await cluster.StatusAsync(1)).Where(replica => replica.Replica == "r0"),
            replica => Assert.NotEqual(ConsensusReplicaState.Serving, replica.State));
    }

    /// <summary>
    /// The others open a log that they can't read to its end, for as long as it takes. A silo that is told to stop has
    /// half of its time for that, and looks with the rest of it, which no token has called off.
    /// </summary>
    [Fact]
    public async Task A_silo_whose_replica_nobody_can_take_over_stops_all_the_same_and_in_order()
    {
        var stop = TimeSpan.FromSeconds(20);
        await using var cluster = await TestedCluster.StartAsync(accounts.NewPlan() with
        {
            Silo = (_, silo) =>
            {
                LastLook.AddTo(silo.Services);
                silo.Services.Configure<HostOptions>(options => options.ShutdownTimeout = stop);
            },
        });
        var look = cluster.Services(2).GetRequiredService<LastLook>();
        var leaver = cluster.Address(2).ToParsableString();
        var seen = await Eventually.BecomesAsync(
            () => cluster.StatusAsync(2), status => status.Any(each => each.Host == leaver));
        var replica = seen.First(each => each.Host == leaver).Replica;
        accounts[int.Parse(replica[1..], CultureInfo.InvariantCulture)].Pause();

        await cluster.StopAsync(2);

        Assert.Contains(await look.Status!, each => each.Host == leaver);
    }

    private static bool SaysItIsGone(ConsensusReplicaStatus replica) =>
        replica.Problem?.Contains("it was deleted or emptied", StringComparison.Ordinal) == true;

    private static bool SaysItCantBeReached(IReadOnlyList<ConsensusReplicaStatus> status) => status.Any(
        replica => replica.Problem?.Contains("can't be reached", StringComparison.Ordinal) == true);
}
