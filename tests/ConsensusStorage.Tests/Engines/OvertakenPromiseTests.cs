using Orleans.Consensus.Paxos;
using Orleans.Consensus.Simulation.Clusters;
using static Orleans.Consensus.Simulation.Clusters.SimulatedCluster;

namespace Orleans.Consensus.Tests.Engines;

/// <summary>A silo writes on a promise that another silo has overtaken since (S6, S8b, S21).</summary>
public sealed class OvertakenPromiseTests
{
    private readonly SimulatedCluster _cluster = new();

    [Fact, Trait("Rule", "S6")]
    public void A_write_that_all_replicas_refuse_is_stale_and_in_no_doubt() => _cluster.Run(async () =>
    {
        var old = await OvertakeAsync();

        var stale = Assert.IsType<ChangeResult.Stale>(await _cluster.WriteAsync(0, "k", old, "late"));

        Assert.False(stale.MayHaveHappened);
    });

    /// <summary>The last replica refuses a little later than the others: it is waited for, but not for long.</summary>
    [Theory, Trait("Rule", "S6")]
    [InlineData(20, false)]
    [InlineData(400, true)]
    public void The_last_refusal_is_waited_for_a_moment(int milliseconds, bool mayHaveHappened) =>
        _cluster.Run(async () =>
        {
            var old = await OvertakeAsync();
            var slow = _cluster.Addresses[2];
            _cluster.Network.Latency = (from, to) =>
                TimeSpan.FromMilliseconds(from == slow || to == slow ? milliseconds / 2.0 : 1);
            var started = _cluster.Scheduler.Time.GetTimestamp();

            var stale = Assert.IsType<ChangeResult.Stale>(await _cluster.WriteAsync(0, "k", old, "late"));

            Assert.Equal(mayHaveHappened, stale.MayHaveHappened);
            Assert.InRange(_cluster.Scheduler.Time.GetElapsedTime(started).TotalMilliseconds, 1, 150);
        });

    [Fact, Trait("Rule", "S6")]
    public void A_write_that_one_replica_does_not_answer_stays_in_doubt() => _cluster.Run(async () =>
    {
        var old = await OvertakeAsync();
        _cluster.Network.OnSend = (_, to, batch) =>
            to == _cluster.Addresses[2] && batch.Requests.Any(one => one.Request is Accept)
                ? Fate.DropRequest
                : Fate.Deliver;

        var stale = Assert.IsType<ChangeResult.Stale>(await _cluster.WriteAsync(0, "k", old, "late"));

        Assert.True(stale.MayHaveHappened);
    });

    /// <summary>The first message is accepted and its answer lost; a copy of it that is refused says nothing.</summary>
    [Fact, Trait("Rule", "S6")]
    public void A_write_of_which_a_copy_was_refused_stays_in_doubt() => _cluster.Run(async () =>
    {
        var old = await OvertakeAsync(laggard: 2);
        _cluster.Network.OnSend = (_, to, batch) =>
            to == _cluster.Addresses[2] && batch.Requests.Any(one => one.Request is Accept)
                ? Fate.Twice
                : Fate.Deliver;

        var stale = Assert.IsType<ChangeResult.Stale>(await _cluster.WriteAsync(0, "k", old, "late"));

        Assert.True(stale.MayHaveHappened);
    });

    [Fact, Trait("Rule", "S8b")]
    public void A_first_write_is_applied_though_another_silo_wrote_and_cleared_since_the_read() =>
        _cluster.Run(async () =>
        {
            await StartAsync();
            Assert.Null(TextOf(await _cluster.ReadAsync(0, "k")));
            var version = VersionOf(await _cluster.WriteAsync(1, "k", null, "other"));
            Assert.IsType<ChangeResult.Applied>(await _cluster.ClearAsync(1, "k", version));

            VersionOf(await _cluster.WriteAsync(0, "k", null, "first"));

            Assert.Equal("first", TextOf(await _cluster.ReadAsync(1, "k")));
        });

    [Fact, Trait("Rule", "S21")]
    public void A_write_over_a_value_still_takes_one_round_trip() => _cluster.Run(async () =>
    {
        await StartAsync();
        var version = VersionOf(await _cluster.WriteAsync(0, "k", null, "1"));
        var prepares = 0;
        _cluster.Network.OnSend = (_, _, batch) =>
        {
            prepares += batch.Requests.Count(one => one.Request is Prepare);
            return Fate.Deliver;
        };
        for (var i = 2; i < 10; i++)
        {
            version = VersionOf(await _cluster.WriteAsync(0, "k", version, $"{i}"));
        }

        Assert.Equal(0, prepares);
    });

    /// <summary>Silo 0 has a promise for its next write; then silo 1 writes.</summary>
    /// <param name="laggard">A replica that hears nothing of what silo 1 does.</param>
    /// <returns>The version that silo 0 knows.</returns>
    private async Task<RegisterVersion> OvertakeAsync(int? laggard = null)
    {
        await StartAsync();
        var old = VersionOf(await _cluster.WriteAsync(0, "k", null, "old"));
        await _cluster.PassAsync(100);
        _cluster.Network.OnSend = (from, to, _) =>
            from == _cluster.Addresses[1] && laggard is { } one && to == _cluster.Addresses[one]
                ? Fate.DropRequest
                : Fate.Deliver;
        VersionOf(await _cluster.WriteAsync(1, "k", old, "new"));
        await _cluster.PassAsync(100);
        _cluster.Network.OnSend = (_, _, _) => Fate.Deliver;
        return old;
    }

    private async Task StartAsync()
    {
        await _cluster.StartAllAsync();
        Assert.Null(TextOf(await _cluster.ReadAsync(0, "started")));
        await _cluster.PassAsync(200);
    }
}
