using System.Collections.Immutable;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Orleans.Consensus.Engines;
using Orleans.Consensus.Hosting;
using Orleans.Consensus.Tests.Journaling;
using Orleans.Consensus.Transport;
using static Orleans.Consensus.Simulation.Clusters.SimulatedCluster;

namespace Orleans.Consensus.Tests.Engines;

/// <summary>
/// Replicas that are hosted and can't be used: status, health and exceptions say the same of them, and calls that can't
/// succeed end at once.
/// </summary>
public sealed class BlockedReplicaTests
{
    private static readonly TimeSpan AtOnce = TimeSpan.FromSeconds(1);

    private readonly SimulatedCluster _cluster = new() { JournalOptions = TestLog.SmallSegments };

    public BlockedReplicaTests()
    {
        for (var silo = 0; silo < 3; silo++)
        {
            _cluster.Disks[silo] = new FaultyFiles(new(silo));
        }
    }

    [Fact]
    public void A_full_disk_reaches_status_and_health_until_it_has_room_again() => _cluster.Run(async () =>
    {
        var version = await FormAndWriteAsync();
        version = await FillAsync(version, 2);
        var blocked = Assert.Single(await StatusAsync(0), one => one.State != ConsensusReplicaState.Serving);
        Assert.Equal(("r2", ConsensusReplicaState.Blocked), (blocked.Replica, blocked.State));
        Assert.Contains("room", blocked.Problem, StringComparison.Ordinal);
        var health = await HealthAsync(0);
        Assert.Equal(HealthStatus.Degraded, health.Status);
        Assert.Contains("2 of 3 replicas serve", health.Description, StringComparison.Ordinal);
        Assert.Contains("Replica 'r2': Blocked", health.Description, StringComparison.Ordinal);
        Assert.Contains("room", health.Description, StringComparison.Ordinal);

        ((FaultyFiles)_cluster.Disks[2]).Room = long.MaxValue;
        await _cluster.PassAsync(10_000);
        Assert.Equal(HealthStatus.Healthy, (await HealthAsync(0)).Status);
    });

    [Fact]
    public void A_call_that_full_disks_refuse_ends_at_once_and_says_why_and_doubt_stays_doubt() =>
        _cluster.Run(async () =>
        {
            var version = await FormAndWriteAsync();
            foreach (var silo in new[] { 1, 2 })
            {
                var disk = (FaultyFiles)_cluster.Disks[silo];
                disk.Room = disk.BytesUsed;
            }

            long started;
            ChangeResult result;
            do
            {
                started = _cluster.Scheduler.Time.GetTimestamp();
                result = await _cluster.WriteAsync(0, "k", version, new string('x', 500));
                version = (result as ChangeResult.Applied)?.Version ?? version;
            }
            while (result is ChangeResult.Applied);
            Assert.True(_cluster.Scheduler.Time.GetElapsedTime(started) < AtOnce);
            var unknown = Assert.IsType<ChangeResult.Unknown>(result);
            Assert.Equal(UnknownReason.Refused, unknown.Reason);
            AssertSaid(unknown.Answers);
            Assert.Equal(HealthStatus.Unhealthy, (await HealthAsync(0)).Status);

            // Nothing is sent for good: what was in doubt before still is, and this call changed nothing.
            started = _cluster.Scheduler.Time.GetTimestamp();
            var again = await _cluster.WriteAsync(0, "k", version, new string('x', 500), unknown.InDoubt);
            Assert.True(_cluster.Scheduler.Time.GetElapsedTime(started) < AtOnce);
            var none = Assert.IsType<ChangeResult.NotApplied>(again);
            Assert.Equal(NotAppliedReason.Refused, none.Reason);
            AssertSaid(none.Answers);

            Room(long.MaxValue);
            await _cluster.PassAsync(10_000);
            VersionOf(await _cluster.WriteAsync(0, "k", version, new string('y', 500), unknown.InDoubt));
            await WriteAsync(null, "other");
            Assert.Equal(HealthStatus.Healthy, (await HealthAsync(0)).Status);
        });

    [Fact]
    public void A_clock_that_is_wrong_reaches_the_silo_that_has_it_and_its_calls_end_at_once() =>
        _cluster.Run(async () =>
        {
            await FormAndWriteAsync();
            await _cluster.StopAsync(0);
            _cluster.ClockOf(3).Offset = TimeSpan.FromHours(2);
            await _cluster.StartAsync(0);
            await _cluster.StartAsync(3);
            await _cluster.PassAsync(1000);
            Assert.Equal(HealthStatus.Healthy, (await HealthAsync(0)).Status);
            var health = await HealthAsync(3);
            Assert.Equal(HealthStatus.Unhealthy, health.Status);
            Assert.Contains("clock of this silo", health.Description, StringComparison.Ordinal);
            var started = _cluster.Scheduler.Time.GetTimestamp();
            var none = Assert.IsType<ChangeResult.NotApplied>(await _cluster.ReadAsync(3, "k"));
            Assert.True(_cluster.Scheduler.Time.GetElapsedTime(started) < AtOnce);
            Assert.Equal(NotAppliedReason.Refused, none.Reason);
            Assert.Contains(none.Answers, answer => answer.Text.Contains("clock", StringComparison.Ordinal));

            _cluster.ClockOf(3).Offset = TimeSpan.Zero;
            Assert.Equal("one", TextOf(await _cluster.ReadAsync(3, "k")));
            Assert.Equal(HealthStatus.Healthy, (await HealthAsync(3)).Status);
        });

    [Fact]
    public void A_disk_that_hangs_reaches_status_until_it_answers() => _cluster.Run(async () =>
    {
        var version = await FormAndWriteAsync();
        var hangs = true;
        ((FaultyFiles)_cluster.Disks[2]).Plan = async operation =>
        {
            while (hangs && operation.Action == FileAction.WriteAndFlush)
            {
                await _cluster.PassAsync(100);
            }

            return FileFault.None;
        };
        version = VersionOf(await _cluster.WriteAsync(0, "k", version, "two"));
        await _cluster.PassAsync(6000);
        var blocked = Assert.Single(await StatusAsync(0), one => one.State != ConsensusReplicaState.Serving);
        Assert.Equal(("r2", ConsensusReplicaState.Blocked), (blocked.Replica, blocked.State));
        Assert.Contains("does not answer", blocked.Problem, StringComparison.Ordinal);
        hangs = false;
        await _cluster.PassAsync(1000);
        Assert.All(await StatusAsync(0), one => Assert.Equal(ConsensusReplicaState.Serving, one.State));
    });

    [Fact]
    public void Below_a_quorum_status_health_and_exception_say_the_same() => _cluster.Run(async () =>
    {
        await FormAndWriteAsync();
        foreach (var silo in new[] { 0, 1, 2 })
        {
            await _cluster.StopAsync(silo);
        }

        await _cluster.StartAsync(0);
        await _cluster.PassAsync(1000);
        var health = await HealthAsync(0);
        Assert.Equal(HealthStatus.Unhealthy, health.Status);
        Assert.Contains("1 of 3 replicas serve, 2 are needed", health.Description, StringComparison.Ordinal);
        Assert.Contains("Replica 'r1': Unreachable. No live silo", health.Description, StringComparison.Ordinal);
        Assert.DoesNotContain("'r0'", health.Description, StringComparison.Ordinal);
        Assert.Equal(ConsensusReplicaState.Serving, (await StatusAsync(0))[0].State);
        var answers = Assert.IsType<ChangeResult.NotApplied>(await _cluster.ReadAsync(0, "k")).Answers;
        Assert.Contains("was not asked, since 2 are needed", answers[0].Text, StringComparison.Ordinal);
        Assert.Equal("Unreachable. No live silo hosts it.", answers[1].Text);
    });

    [Fact]
    public void A_silo_with_the_replica_id_of_another_is_not_ready_and_the_other_is_not_blamed() =>
        _cluster.Run(async () =>
        {
            await FormAndWriteAsync();
            _cluster.Locals[3] = new("r0");
            await _cluster.StartAsync(3);
            await _cluster.PassAsync(1000);
            var twin = await HealthAsync(3);
            Assert.Equal(HealthStatus.Unhealthy, twin.Status);
            Assert.Contains(
                "3 of 3 replicas serve, 2 are needed, but that of this silo does not",
                twin.Description,
                StringComparison.Ordinal);
            Assert.Contains("second silo", twin.Description, StringComparison.Ordinal);
            foreach (var silo in new[] { 0, 1, 3 })
            {
                var first = (await StatusAsync(silo))[0];
                Assert.Equal((ConsensusReplicaState.Serving, (string?)null), (first.State, first.Problem));
                Assert.Equal(_cluster.Addresses[0].ToParsableString(), first.Host);
                Assert.Contains(
                    _cluster.Addresses[3].ToParsableString(), first.Notice, StringComparison.Ordinal);
            }

            Assert.Equal(HealthStatus.Healthy, (await HealthAsync(0)).Status);
        });

    [Fact]
    public void A_call_ends_at_once_where_too_many_replicas_are_refused_for_good() => _cluster.Run(async () =>
    {
        await FormAndWriteAsync();
        foreach (var silo in new[] { 1, 2 })
        {
            await _cluster.StopAsync(silo);
            _cluster.Disks[silo] = new FaultyFiles(new(9));
            await _cluster.StartAsync(silo);
        }

        await _cluster.PassAsync(2000);
        var started = _cluster.Scheduler.Time.GetTimestamp();
        var none = Assert.IsType<ChangeResult.NotApplied>(await _cluster.ReadAsync(0, "k"));
        Assert.True(_cluster.Scheduler.Time.GetElapsedTime(started) < AtOnce);
        Assert.Equal(NotAppliedReason.Refused, none.Reason);
        Assert.Contains("emptied", none.Answers[1].Text, StringComparison.Ordinal);
    });

    private void Room(long bytes)
    {
        for (var silo = 0; silo < 3; silo++)
        {
            ((FaultyFiles)_cluster.Disks[silo]).Room = bytes;
        }
    }

    private static void AssertSaid(ImmutableArray<ReplicaAnswer> answers) => Assert.All(
        answers.Skip(1), answer => Assert.Contains("room", answer.Text, StringComparison.Ordinal));

    /// <summary>Leaves a disk no room and writes until it has used up what it has.</summary>
    private async Task<RegisterVersion> FillAsync(RegisterVersion version, int silo)
    {
        var disk = (FaultyFiles)_cluster.Disks[silo];
        disk.Room = disk.BytesUsed;
        while ((await StatusAsync(0))[silo].State == ConsensusReplicaState.Serving)
        {
            version = await WriteAsync(version);
        }

        return version;
    }

    private async Task<RegisterVersion> FormAndWriteAsync()
    {
        await _cluster.StartAllAsync();
        var version = VersionOf(await _cluster.WriteAsync(0, "k", null, "one"));
        await _cluster.PassAsync(500);
        return version;
    }

    private async Task<RegisterVersion> WriteAsync(RegisterVersion? version, string key = "k") =>
        VersionOf(await _cluster.WriteAsync(0, key, version, new string('x', 500)));

    private Task<IReadOnlyList<ConsensusReplicaStatus>> StatusAsync(int silo) =>
        GroupZeroAsync(_cluster.Silos[silo]);

    private static async Task<IReadOnlyList<ConsensusReplicaStatus>> GroupZeroAsync(PaxosStore store) =>
        [.. (await store.GetStatusAsync(CancellationToken.None)).Where(one => one.Group == 0)];

    private async Task<HealthCheckResult> HealthAsync(int silo) => ConsensusReadinessCheck.Judge(
        "Default", await _cluster.Silos[silo].LookAsync(CancellationToken.None), HealthStatus.Unhealthy);
}
