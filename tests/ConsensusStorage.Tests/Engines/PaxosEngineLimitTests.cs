using Orleans.Consensus.Paxos;
using static Orleans.Consensus.Simulation.Clusters.SimulatedCluster;
using Request = Orleans.Consensus.Paxos.Request;

namespace Orleans.Consensus.Tests.Engines;

/// <summary>Overload, contention, clocks, and clusters of other sizes.</summary>
public sealed class PaxosEngineLimitTests
{
    [Fact]
    [Trait("Rule", "S23")]
    public void After_a_bounded_number_of_conflicts_a_change_gives_up()
    {
        var cluster = new SimulatedCluster();
        cluster.Run(async () =>
        {
            await cluster.StartAllAsync();
            Assert.Null(TextOf(await cluster.ReadAsync(0, "started")));
            var rounds = new HashSet<Ballot>();
            cluster.Network.Forge = (_, _, batch) =>
            {
                rounds.Add(batch.Requests[0].Request.Ballot);
                return new(null, [.. batch.Requests.Select(one => Refuse(one.Request))]);
            };
            var result = Assert.IsType<ChangeResult.NotApplied>(await cluster.WriteAsync(0, "k", null, "x"));
            Assert.Equal(NotAppliedReason.Contention, result.Reason);
            Assert.InRange(rounds.Count, 10, cluster.Settings.MaxConflicts + 1);
        });
    }

    [Fact]
    [Trait("Rule", "S25")]
    public void Too_many_changes_at_once_are_refused_before_anything_is_sent()
    {
        var cluster = new SimulatedCluster();
        cluster.Settings = cluster.Settings with { MaxPendingChanges = 10 };
        cluster.Run(async () =>
        {
            await cluster.StartAllAsync();
            Assert.Null(TextOf(await cluster.ReadAsync(0, "started")));
            cluster.Network.OnSend = (_, _, _) => Fate.Hang;
            var pending = Enumerable.Range(0, 10).Select(i => cluster.WriteAsync(0, $"k{i}", null, "x")).ToList();
            await cluster.PassAsync(1);
            var sent = cluster.Network.Sent;
            var result = Assert.IsType<ChangeResult.NotApplied>(await cluster.WriteAsync(0, "more", null, "x"));
            Assert.Equal(NotAppliedReason.Overloaded, result.Reason);
            Assert.Equal(sent, cluster.Network.Sent);
            Assert.All(await Task.WhenAll(pending), one => Assert.IsType<ChangeResult.NotApplied>(one));
            cluster.Network.OnSend = (_, _, _) => Fate.Deliver;
            VersionOf(await cluster.WriteAsync(0, "more", null, "x"));
        });
    }

    [Fact]
    public void What_waits_for_a_slow_replica_is_bounded_in_bytes()
    {
        const int bound = 20_000;
        var cluster = new SimulatedCluster();
        cluster.Settings = cluster.Settings with { MaxQueuedBytes = bound, MaxBatchBytes = 5000 };
        cluster.Run(async () =>
        {
            await cluster.StartAllAsync();
            await cluster.FindOneAnotherAsync();
            Assert.Null(TextOf(await cluster.ReadAsync(0, "started")));
            var slow = cluster.Addresses[2];
            var bytes = 0;
            var waited = false;
            cluster.Network.Latency = (_, to) => TimeSpan.FromMilliseconds(to.Equals(slow) ? 800 : 0);
            cluster.Network.OnSend = (_, to, batch) =>
            {
                bytes += to.Equals(slow) && waited ? batch.Requests.Sum(one => SizeOf(one.Request)) : 0;
                return Fate.Deliver;
            };
            for (var i = 0; i < 100; i++)
            {
                VersionOf(await cluster.WriteAsync(0, $"k{i}", null, new string('x', 1000)));
            }

            waited = true;
            await cluster.PassAsync(5000);
            Assert.InRange(bytes, 1000, bound);
        });
    }

    [Fact]
    public void Large_states_are_asked_for_a_few_at_a_time()
    {
        const int states = 50;
        var cluster = new SimulatedCluster();
        cluster.Settings = cluster.Settings with { MaxBatchBytes = 20_000 };
        cluster.Run(async () =>
        {
            await cluster.StartAllAsync();
            for (var i = 0; i < states; i++)
            {
                VersionOf(await cluster.WriteAsync(0, $"k{i}", null, new string('x', 10_000)));
            }

            // The first answers tell how large states are.
            Assert.NotNull(TextOf(await cluster.ReadAsync(1, "k0")));
            await cluster.PassAsync(1000);
            var most = 0;
            cluster.Network.OnSend = (_, _, batch) =>
            {
                most = Math.Max(most, batch.Requests.Length);
                return Fate.Deliver;
            };
            var reads = await Task.WhenAll(Enumerable.Range(0, states).Select(i => cluster.ReadAsync(1, $"k{i}")));

            Assert.All(reads, read => Assert.Equal(10_000, TextOf(read)!.Length));
            Assert.InRange(most, 1, 2);
        });
    }

    [Fact]
    public void A_silo_stops_soon_although_much_waits_for_a_hung_replica()
    {
        var cluster = new SimulatedCluster();
        cluster.Settings = cluster.Settings with { MaxBatchBytes = 5000 };
        cluster.Run(async () =>
        {
            await cluster.StartAllAsync();
            Assert.Null(TextOf(await cluster.ReadAsync(0, "started")));
            var hung = cluster.Addresses[2];
            cluster.Network.OnSend = (_, to, _) => to == hung ? Fate.Hang : Fate.Deliver;
            for (var i = 0; i < 200; i++)
            {
                VersionOf(await cluster.WriteAsync(0, $"k{i}", null, new string('x', 1000)));
            }

            var started = cluster.Scheduler.Time.GetTimestamp();
            await cluster.StopAsync(0);
            Assert.InRange(
                cluster.Scheduler.Time.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(3));
        });
    }

    [Fact]
    public void A_stopping_silo_ends_what_is_under_way()
    {
        var cluster = new SimulatedCluster();
        cluster.Run(async () =>
        {
            await cluster.StartAllAsync();
            var version = VersionOf(await cluster.WriteAsync(0, "k", null, "one"));
            var engine = cluster.Silos[0].Engine;
            cluster.Network.OnSend = (_, _, _) => Fate.Hang;
            var sent = cluster.WriteAsync(0, "k", version, "two");
            var waiting = cluster.WriteAsync(0, "k", version, "three");
            await cluster.PassAsync(10);
            await cluster.StopAsync(0);
            Assert.Equal(UnknownReason.Stopped, Assert.IsType<ChangeResult.Unknown>(await sent).Reason);
            Assert.Equal(NotAppliedReason.Stopped, Assert.IsType<ChangeResult.NotApplied>(await waiting).Reason);
            var late = await engine.ChangeAsync(
                Register("k"), new Change.Read(engine.MintVersion(), InDoubt.None), CancellationToken.None);
            Assert.Equal(NotAppliedReason.Stopped, Assert.IsType<ChangeResult.NotApplied>(late).Reason);
        });
    }

    [Fact]
    [Trait("Rule", "S4")]
    public void One_acceptor_with_a_ballot_fifty_minutes_ahead_does_not_drag_the_others()
    {
        var cluster = new SimulatedCluster();
        cluster.Run(async () =>
        {
            await cluster.StartAllAsync();
            var version = VersionOf(await cluster.WriteAsync(0, "k", null, "one"));
            cluster.ClockOf(2).Offset = TimeSpan.FromMinutes(50);
            cluster.Network.OnSend = (_, to, _) => to == cluster.Addresses[2] ? Fate.Deliver : Fate.DropRequest;
            Assert.IsType<ChangeResult.NotApplied>(await cluster.ReadAsync(2, "k"));
            cluster.Network.OnSend = (_, _, _) => Fate.Deliver;
            cluster.ClockOf(2).Offset = TimeSpan.Zero;
            for (var i = 0; i < 10; i++)
            {
                version = VersionOf(await cluster.WriteAsync(i % 2, "k", version, $"{i}"));
            }

            var now = cluster.Scheduler.Time.GetUtcNow().ToUnixTimeMilliseconds();
            var group = Register("k").GroupOf(cluster.Settings.Groups);
            foreach (var silo in new[] { 0, 1 })
            {
                var highest = cluster.Silos[silo].Hosted[0].Groups[group];
                Assert.InRange(highest.Round, 0, Ballot.RoundAt(now + 60_000));
            }
        });
    }

    /// <summary>Its ballot seems to be the one to beat while another replica is silent.</summary>
    [Fact, Trait("Rule", "S4")]
    public void A_ballot_that_most_replicas_do_not_believe_is_not_to_be_beaten_once_they_answer_again()
    {
        var cluster = new SimulatedCluster();
        cluster.Run(async () =>
        {
            await cluster.StartAllAsync();
            VersionOf(await cluster.WriteAsync(0, "k", null, "one"));
            cluster.ClockOf(2).Offset = TimeSpan.FromMinutes(70);
            cluster.Network.OnSend = (_, to, _) => to == cluster.Addresses[2] ? Fate.Deliver : Fate.DropRequest;
            Assert.IsType<ChangeResult.NotApplied>(await cluster.ReadAsync(2, "k"));
            cluster.ClockOf(2).Offset = TimeSpan.Zero;

            cluster.Network.OnSend = (_, to, _) => to == cluster.Addresses[1] ? Fate.Hang : Fate.Deliver;
            var reading = cluster.ReadAsync(0, "k");
            await cluster.PassAsync(1100);
            cluster.Network.OnSend = (_, _, _) => Fate.Deliver;
            Assert.Equal("one", TextOf(await reading));
        });
    }

    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    [Trait("Rule", "S4")]
    [Trait("Bug", "E2")]
    public void A_silo_whose_clock_is_behind_reads_and_writes_although_a_replica_is_missing(int replicas)
    {
        var cluster = new SimulatedCluster(replicas);
        cluster.Run(async () =>
        {
            await cluster.StartAllAsync();
            cluster.ClockOf(1).Offset = TimeSpan.FromMinutes(10);
            var version = VersionOf(await cluster.WriteAsync(1, "k", null, "one"));
            await cluster.StopAsync(replicas - 1);
            await cluster.PassAsync(500);
            Assert.Equal("one", TextOf(await cluster.ReadAsync(0, "k")));
            VersionOf(await cluster.WriteAsync(0, "k", version, "two"));
        });
    }

    /// <summary>Its replica believed the wrong clock, and must not refuse everything for it afterwards.</summary>
    [Fact, Trait("Rule", "S4"), Trait("Rule", "S11")]
    public void A_clock_that_was_wrong_for_a_while_stops_nothing_when_another_silo_is_down_later()
    {
        var cluster = new SimulatedCluster();
        cluster.Run(async () =>
        {
            await cluster.StartAllAsync();
            var version = VersionOf(await cluster.WriteAsync(0, "k", null, "one"));
            cluster.ClockOf(1).Offset = TimeSpan.FromHours(3);
            for (var i = 0; i < 20; i++)
            {
                await cluster.PassAsync(10_000);
                for (var j = 0; j < 20; j++)
                {
                    await cluster.ReadAsync(0, $"never{i}-{j}");
                }

                await cluster.ReadAsync(1, $"own{i}");
            }

            cluster.ClockOf(1).Offset = TimeSpan.Zero;
            await cluster.PassAsync(10_000);
            Assert.Equal("one", TextOf(await cluster.ReadAsync(0, "k")));
            await cluster.StopAsync(2);
            await cluster.PassAsync(5000);
            Assert.Equal("one", TextOf(await cluster.ReadAsync(0, "k")));
        });
    }

    [Fact]
    public void Five_replicas_work_with_two_down()
    {
        var cluster = new SimulatedCluster(replicas: 5);
        cluster.Run(async () =>
        {
            await cluster.StartAllAsync();
            var version = VersionOf(await cluster.WriteAsync(0, "k", null, "one"));
            await cluster.StopAsync(3);
            await cluster.StopAsync(4);
            version = VersionOf(await cluster.WriteAsync(0, "k", version, "two"));
            await cluster.StartAsync(3);
            await cluster.StopAsync(0);
            Assert.Equal("two", TextOf(await cluster.ReadAsync(1, "k")));
            VersionOf(await cluster.WriteAsync(1, "k", version, "three"));
        });
    }

    [Fact]
    public void A_silo_that_hosts_no_replica_reads_and_writes()
    {
        var cluster = new SimulatedCluster();
        cluster.Run(async () =>
        {
            await cluster.StartAllAsync();
            await cluster.StartAsync(3);
            var version = VersionOf(await cluster.WriteAsync(3, "k", null, "one"));
            VersionOf(await cluster.WriteAsync(0, "k", version, "two"));
            Assert.Equal("two", TextOf(await cluster.ReadAsync(3, "k")));
            Assert.Empty(cluster.Silos[3].Hosted);
        });
    }

    [Fact]
    public void A_store_of_one_replica_works_and_survives_a_restart()
    {
        var cluster = new SimulatedCluster(replicas: 1);
        cluster.Run(async () =>
        {
            await cluster.StartAsync(0);
            var version = VersionOf(await cluster.WriteAsync(0, "k", null, "one"));
            await cluster.StopAsync(0);
            await cluster.StartAsync(0);
            Assert.Equal("one", TextOf(await cluster.ReadAsync(0, "k")));
            VersionOf(await cluster.WriteAsync(0, "k", version, "two"));
        });
    }

    [Fact]
    [Trait("Rule", "S20")]
    public void More_registers_than_promises_are_kept_just_take_longer()
    {
        var cluster = new SimulatedCluster();
        cluster.Settings = cluster.Settings with { PromiseCacheSize = 32 };
        cluster.Run(async () =>
        {
            await cluster.StartAllAsync();
            var writes = Enumerable.Range(0, 300).Select(i => cluster.WriteAsync(i % 3, $"k{i}", null, $"{i}"));
            var versions = (await Task.WhenAll(writes)).Select(VersionOf).ToList();
            var again = versions.Select((version, i) => cluster.WriteAsync(i % 3, $"k{i}", version, "again"));
            Assert.All(await Task.WhenAll(again), result => VersionOf(result));
        });
    }

    private static Conflict Refuse(Request request) =>
        new(request.Phase, request.Ballot, request.Ballot with { Round = request.Ballot.Round + 1 });

    private static int SizeOf(Request request) =>
        request is Accept { Value.Payload: PayloadBytes payload } ? payload.Bytes.Length : 0;

    /// <summary>Reads of absent registers raise floors an hour later, each replica for itself.</summary>
    [Theory, Trait("Rule", "S8b"), Trait("Rule", "S11")]
    [InlineData(0)]
    [InlineData(-130)]
    public void An_absence_that_was_read_two_hours_ago_is_written_without_a_doubt(int minutesBehind)
    {
        var cluster = new SimulatedCluster();
        cluster.Settings = cluster.Settings with { MaxPromises = 3 };
        cluster.Run(
            async () =>
            {
                await cluster.StartAllAsync();
                await cluster.FindOneAnotherAsync();
                cluster.ClockOf(0).Offset = TimeSpan.FromMinutes(minutesBehind);
                await cluster.ReadAsync(0, "k");
                await cluster.ReadAsync(1, "k");
                await cluster.PassAsync(7_200_000);
                for (var i = 0; i < 40; i++)
                {
                    await cluster.ReadAsync(2, $"absent{i}");
                }

                var version = VersionOf(await cluster.WriteAsync(0, "k", null, "one"));
                Assert.IsType<ChangeResult.Stale>(await cluster.WriteAsync(1, "k", null, "two"));
                VersionOf(await cluster.WriteAsync(2, "k", version, "three"));
                Assert.Equal("three", TextOf(await cluster.ReadAsync(1, "k")));
            },
            TimeSpan.FromHours(3));
    }
}
