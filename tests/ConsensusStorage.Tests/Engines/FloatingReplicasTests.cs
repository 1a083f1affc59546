using Orleans.Consensus.Journaling;
using Orleans.Consensus.Journaling.Files;
using Orleans.Consensus.Simulation.Blobs;
using Orleans.Consensus.Simulation.Clusters;
using Orleans.Consensus.Transport;
using static Orleans.Consensus.Simulation.Clusters.SimulatedCluster;

namespace Orleans.Consensus.Tests.Engines;

/// <summary>Replicas whose logs are in one place that all silos share: here a directory.</summary>
public sealed class FloatingReplicasTests
{
    private const int Replicas = 3;

    private readonly MemoryFiles _files = new();
    private readonly SimulatedCluster _cluster = new(Replicas);

    public FloatingReplicasTests()
    {
        _cluster.Floating = (_, _, time, random) => logs =>
            new FileJournalStore(_files, $"logs/{logs}", _cluster.JournalOptions, time, random);
    }

    private int Groups => _cluster.Settings.Groups;

    [Fact]
    public void One_silo_alone_hosts_all() => _cluster.Run(async () =>
    {
        await _cluster.StartAsync(0);
        await SettleAsync();

        Assert.Equal(Groups * Replicas, Serving(0));
        await WriteAllAsync(0, "one");
        await ReadAllAsync(0, "one");
    });

    [Fact]
    public void Silos_share_the_replicas_and_those_of_a_group_are_apart() => _cluster.Run(async () =>
    {
        await StartAsync(3);

        Assert.All(new[] { 0, 1, 2 }, silo => Assert.Equal(Groups, Serving(silo)));
        var status = await _cluster.Silos[0].GetStatusAsync(CancellationToken.None);
        Assert.All(
            status.GroupBy(one => one.Group),
            group => Assert.Equal(Replicas, group.Select(one => one.Host).Distinct().Count()));
        Assert.All(status, one => Assert.Equal(ConsensusReplicaState.Serving, one.State));
        await WriteAllAsync(1, "one");
        await ReadAllAsync(2, "one");
    });

    [Fact]
    public void When_silos_come_and_go_all_that_was_written_stays() => _cluster.Run(async () =>
    {
        await StartAsync(1);
        await WriteAllAsync(0, "one");
        for (var silo = 1; silo < 5; silo++)
        {
            await _cluster.StartAsync(silo);
            await SettleAsync();
            await ReadAllAsync(silo, "one");
        }

        Assert.All(Enumerable.Range(0, 5), silo => Assert.InRange(Serving(silo), 1, Groups));
        for (var silo = 0; silo < 3; silo++)
        {
            await _cluster.LeaveAsync(silo);
            await ReadAllAsync(4, "one");
        }

        await SettleAsync();
        Assert.Equal(Groups * Replicas, Serving(3) + Serving(4));
        await ReadAllAsync(3, "one");
    });

    [Fact]
    public void The_last_silo_leaves_without_waiting_for_anybody() => _cluster.Run(async () =>
    {
        await StartAsync(1);
        var before = _cluster.Scheduler.Time.GetUtcNow();
        await _cluster.LeaveAsync(0);
        Assert.InRange(_cluster.Scheduler.Time.GetUtcNow() - before, TimeSpan.Zero, TimeSpan.FromMilliseconds(500));

        await _cluster.StartAsync(0);
        await SettleAsync();
        Assert.Equal(Groups * Replicas, Serving(0));
    });

    [Fact]
    public void A_silo_without_the_store_is_given_no_replica() => _cluster.Run(async () =>
    {
        await StartAsync(2);
        var stranger = SimulatedNetwork.Address(9);
        _cluster.Network.Add(stranger, [], _cluster.Processes[0]);
        await SettleAsync();

        Assert.Equal(Groups * Replicas, Serving(0) + Serving(1));
        await WriteAllAsync(0, "one");
    });

    [Theory]
    [InlineData(8)]
    [InlineData(2)]
    public void With_other_groups_nothing_is_served_and_nothing_begun(int groups) => _cluster.Run(async () =>
    {
        await StartAsync(1);
        await WriteAllAsync(0, "one");
        await _cluster.StopAsync(0);
        var before = _cluster.Settings;
        _cluster.Settings = before with { Groups = groups };
        await _cluster.StartAsync(0);
        await SettleAsync();

        Assert.Equal(groups * Replicas, _cluster.Silos[0].Hosted.Count);
        Assert.All(_cluster.Silos[0].Hosted, replica =>
        {
            Assert.Equal(ReplicaState.Refused, replica.State);
            Assert.Contains("number of groups in it is '4'", replica.Problem, StringComparison.Ordinal);
        });
        await _cluster.StopAsync(0);
        _cluster.Settings = before;
        await StartAsync(1);
        await ReadAllAsync(0, "one");
    });

    [Fact]
    public void Pinned_replicas_do_not_begin_a_store_where_floating_ones_have_theirs() => _cluster.Run(async () =>
    {
        await StartAsync(1);
        await WriteAllAsync(0, "one");
        await _cluster.StopAsync(0);
        var pinned = new FileJournalStore(
            _files, "logs/Default", _cluster.JournalOptions, _cluster.Scheduler.Time, new Random(1));
        var identity = new JournalIdentity("test", "Default", new("r0"), "r0,r1,r2", Groups, 1, default);

        var refused = await Assert.ThrowsAsync<JournalIdentityException>(async () => await pinned.OpenAsync(
            identity, new("cluster", "silo"), null, (_, _, _) => { }, CancellationToken.None));

        Assert.Contains("'Default, floating'", refused.Message, StringComparison.Ordinal);
    });

    [Fact]
    public void Nobody_asks_the_accounts_for_anything_while_nobody_writes() => _cluster.Run(async () =>
    {
        var accounts = _cluster.Float(maxAppends: 24);
        await StartAsync(3);
        await WriteAllAsync(0, "one");
        await SettleAsync();
        var before = accounts.All.Sum(account => account.Requests);
        Assert.True(before > 0);

        await _cluster.PassAsync(60_000);

        Assert.Equal(before, accounts.All.Sum(account => account.Requests));
    });

    [Fact]
    public void Accounts_that_let_nothing_be_read_for_a_while_cost_no_replica() => _cluster.Run(async () =>
    {
        _cluster.Settings = _cluster.Settings with { ValueCacheBytes = 0 };
        var accounts = _cluster.Float(maxAppends: 1000);
        await StartAsync(3);
        await WriteAllAsync(0, "one");
        var epochs = Epochs();
        foreach (var account in accounts.All)
        {
            account.Plan = request => new(
                request.Action == BlobAction.Read ? BlobFault.Throttled : BlobFault.None);
        }

        for (var key = 0; key < 10; key++)
        {
            Assert.IsType<ChangeResult.NotApplied>(await _cluster.ReadAsync(0, $"{key}"));
        }

        Assert.Equal(Groups * Replicas, Serving(0) + Serving(1) + Serving(2));
        foreach (var account in accounts.All)
        {
            account.Plan = null;
        }

        await ReadAllAsync(0, "one");
        Assert.Equal(epochs, Epochs());

        List<long> Epochs() =>
            [.. _cluster.Silos.OrderBy(silo => silo.Key).SelectMany(
                silo => silo.Value.Hosted.Select(replica => replica.Epoch))];
    });

    /// <summary>
    /// Its own membership has not changed, and its successor serves: without a word it would wait for ever.
    /// </summary>
    [Fact]
    [Trait("Rule", "S17")]
    public void A_host_that_was_fenced_takes_back_what_its_successor_only_keeps() => _cluster.Run(async () =>
    {
        _cluster.Float(maxAppends: 24);
        await StartAsync(2);
        var (one, other) = (_cluster.Addresses[0], _cluster.Addresses[1]);
        var hosted = Serving(0);
        _cluster.Network.Freeze(one);
        _cluster.Network.See = (viewer, live) => viewer.Equals(other) ? [other] : live;
        _cluster.Network.Changed();
        await SettleAsync();
        await WriteAllAsync(1, "one");
        Assert.Equal(Groups * Replicas, Serving(1));

        // Who has nothing to append does not notice.
        await ReadAllAsync(0, "one");
        await SettleAsync();
        Assert.Equal(0, Serving(0));

        _cluster.Network.See = (_, live) => live;
        _cluster.Network.Changed();
        await SettleAsync();
        Assert.Equal(hosted, Serving(0));
        Assert.Equal((Groups * Replicas) - hosted, Serving(1));
        await ReadAllAsync(0, "one");
    });

    private async Task StartAsync(int silos)
    {
        for (var silo = 0; silo < silos; silo++)
        {
            await _cluster.StartAsync(silo);
        }

        await SettleAsync();
    }

    private Task SettleAsync() => _cluster.PassAsync(10_000);

    private int Serving(int silo) =>
        _cluster.Silos[silo].Hosted.Count(replica => replica.State == ReplicaState.Serving);

    private async Task WriteAllAsync(int silo, string text)
    {
        for (var key = 0; key < 10; key++)
        {
            Assert.IsType<ChangeResult.Applied>(await _cluster.WriteAsync(silo, $"{key}", null, text));
        }
    }

    private async Task ReadAllAsync(int silo, string text)
    {
        for (var key = 0; key < 10; key++)
        {
            Assert.Equal(text, TextOf(await _cluster.ReadAsync(silo, $"{key}")));
        }
    }
}
