using Orleans.Consensus.Paxos;
using static Orleans.Consensus.Simulation.Clusters.SimulatedCluster;

namespace Orleans.Consensus.Tests.Engines;

public sealed class PaxosEngineTests
{
    [Fact]
    public void What_one_silo_wrote_another_reads()
    {
        var cluster = new SimulatedCluster();
        cluster.Run(async () =>
        {
            await cluster.StartAllAsync();
            var version = VersionOf(await cluster.WriteAsync(0, "k", null, "one"));
            Assert.Equal("one", TextOf(await cluster.ReadAsync(1, "k")));
            VersionOf(await cluster.WriteAsync(2, "k", version, "two"));
            Assert.Equal("two", TextOf(await cluster.ReadAsync(0, "k")));
        });
    }

    [Fact]
    public void A_register_never_written_reads_as_absent() // S9
    {
        var cluster = new SimulatedCluster();
        cluster.Run(async () =>
        {
            await cluster.StartAllAsync();
            Assert.Null(TextOf(await cluster.ReadAsync(1, "k")));
        });
    }

    [Fact]
    public void A_stale_version_is_refused_with_what_is_there() // S10
    {
        var cluster = new SimulatedCluster();
        cluster.Run(async () =>
        {
            await cluster.StartAllAsync();
            var first = VersionOf(await cluster.WriteAsync(0, "k", null, "one"));
            var second = VersionOf(await cluster.WriteAsync(0, "k", first, "two"));
            var stale = Assert.IsType<ChangeResult.Stale>(await cluster.WriteAsync(1, "k", first, "three"));
            Assert.Equal(second, stale.Current!.Version);
            Assert.False(stale.MayHaveHappened);
        });
    }

    [Fact]
    public void Steady_writes_take_one_round_trip() // CASPaxos §2.2.1
    {
        var cluster = new SimulatedCluster();
        cluster.Run(async () =>
        {
            await cluster.StartAllAsync();
            await cluster.FindOneAnotherAsync();
            var version = VersionOf(await cluster.WriteAsync(0, "k", null, "0"));
            var accepts = 0;
            cluster.Network.OnSend = (_, _, batch) =>
            {
                Assert.All(batch.Requests, request => Assert.IsType<Accept>(request.Request));
                accepts += batch.Requests.Length;
                return Fate.Deliver;
            };
            for (var i = 1; i <= 10; i++)
            {
                version = VersionOf(await cluster.WriteAsync(0, "k", version, $"{i}"));
            }

            Assert.InRange(accepts, 28, 30);
        });
    }

    [Fact]
    public void A_cleared_register_is_absent_and_can_be_written_again()
    {
        var cluster = new SimulatedCluster();
        cluster.Run(async () =>
        {
            await cluster.StartAllAsync();
            var version = VersionOf(await cluster.WriteAsync(0, "k", null, "one"));
            Assert.Null(Assert.IsType<ChangeResult.Applied>(await cluster.ClearAsync(1, "k", version)).Version);
            Assert.Null(TextOf(await cluster.ReadAsync(2, "k")));
            VersionOf(await cluster.WriteAsync(2, "k", null, "two"));
            Assert.Equal("two", TextOf(await cluster.ReadAsync(0, "k")));
        });
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Any_one_of_three_silos_may_stop(int stopped)
    {
        var cluster = new SimulatedCluster();
        cluster.Run(async () =>
        {
            await cluster.StartAllAsync();
            var version = VersionOf(await cluster.WriteAsync(0, "k", null, "one"));
            await cluster.StopAsync(stopped);
            var silo = (stopped + 1) % 3;
            version = VersionOf(await cluster.WriteAsync(silo, "k", version, "two"));
            await cluster.StartAsync(stopped);
            await cluster.StopAsync(silo);
            Assert.Equal("two", TextOf(await cluster.ReadAsync(stopped, "k")));
        });
    }

    [Fact]
    public void Everything_is_there_after_all_silos_were_stopped()
    {
        var cluster = new SimulatedCluster();
        cluster.Run(async () =>
        {
            await cluster.StartAllAsync();
            for (var i = 0; i < 50; i++)
            {
                VersionOf(await cluster.WriteAsync(i % 3, $"k{i}", null, $"v{i}"));
            }

            foreach (var silo in new[] { 0, 1, 2 })
            {
                await cluster.StopAsync(silo);
            }

            await cluster.StartAllAsync();
            for (var i = 0; i < 50; i++)
            {
                Assert.Equal($"v{i}", TextOf(await cluster.ReadAsync((i + 1) % 3, $"k{i}")));
            }
        });
    }

    [Fact]
    public void A_write_without_a_quorum_ends_in_time_and_is_not_applied() // S6
    {
        var cluster = new SimulatedCluster();
        cluster.Run(async () =>
        {
            await cluster.StartAllAsync();
            Assert.Null(TextOf(await cluster.ReadAsync(0, "k")));
            await cluster.StopAsync(1);
            await cluster.StopAsync(2);
            await cluster.PassAsync(200);
            var started = cluster.Scheduler.Time.GetTimestamp();
            var result = Assert.IsType<ChangeResult.NotApplied>(await cluster.WriteAsync(0, "k", null, "one"));
            Assert.Equal(NotAppliedReason.NoQuorum, result.Reason);
            Assert.Equal(3, result.Answers.Length);
            Assert.InRange(
                cluster.Scheduler.Time.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(5.5));
            await cluster.StartAsync(1);
            VersionOf(await cluster.WriteAsync(0, "k", null, "one"));
        });
    }

    [Fact]
    public void A_write_whose_answers_are_lost_is_in_doubt_and_its_retry_finds_it() // S6, S7
    {
        var cluster = new SimulatedCluster();
        cluster.Run(async () =>
        {
            await cluster.StartAllAsync();
            var version = VersionOf(await cluster.WriteAsync(0, "k", null, "one"));
            cluster.Network.OnSend = (_, _, batch) =>
                batch.Requests.Any(request => request.Request is Accept) ? Fate.DropReply : Fate.DropRequest;
            var unknown = Assert.IsType<ChangeResult.Unknown>(await cluster.WriteAsync(0, "k", version, "two"));
            cluster.Network.OnSend = (_, _, _) => Fate.Deliver;
            var retried = await cluster.WriteAsync(0, "k", version, "three", unknown.InDoubt);
            VersionOf(retried);
            Assert.Equal("three", TextOf(await cluster.ReadAsync(1, "k")));
        });
    }

    [Fact]
    public void A_hung_replica_does_not_hold_up_writes()
    {
        var cluster = new SimulatedCluster();
        cluster.Run(async () =>
        {
            await cluster.StartAllAsync();
            await cluster.FindOneAnotherAsync();
            var version = VersionOf(await cluster.WriteAsync(0, "k", null, "0"));
            var hung = cluster.Addresses[2];
            cluster.Network.OnSend = (_, to, _) => to.Equals(hung) ? Fate.Hang : Fate.Deliver;
            var started = cluster.Scheduler.Time.GetTimestamp();
            for (var i = 1; i <= 1000; i++)
            {
                version = VersionOf(await cluster.WriteAsync(0, "k", version, $"{i}"));
            }

            Assert.InRange(
                cluster.Scheduler.Time.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromMilliseconds(100));
        });
    }

    [Fact]
    public void Changes_of_one_register_run_one_after_the_other() // S20
    {
        var cluster = new SimulatedCluster();
        cluster.Run(async () =>
        {
            await cluster.StartAllAsync();
            var writes = Enumerable.Range(0, 20).Select(i => cluster.WriteAsync(0, "k", null, $"{i}")).ToList();
            var results = await Task.WhenAll(writes);
            Assert.Single(results, result => result is ChangeResult.Applied);
            Assert.Equal(19, results.Count(result => result is ChangeResult.Stale));
        });
    }

    [Fact]
    [Trait("Rule", "S22")]
    public void Each_answer_of_a_message_goes_to_its_own_request()
    {
        var cluster = new SimulatedCluster();
        cluster.Run(async () =>
        {
            await cluster.StartAllAsync();
            await cluster.ReadAsync(0, "started");
            await cluster.PassAsync(200);
            var largest = 0;
            cluster.Network.Latency = (_, _) => TimeSpan.FromMilliseconds(5);
            cluster.Network.OnSend = (_, _, batch) =>
            {
                largest = Math.Max(largest, batch.Requests.Length);
                return Fate.Deliver;
            };
            var started = cluster.Scheduler.Time.GetTimestamp();
            var results = await Task.WhenAll(
                Enumerable.Range(0, 20).Select(i => cluster.WriteAsync(0, $"k{i}", null, "x")));

            Assert.All(results, result => VersionOf(result));
            Assert.InRange(largest, 10, 20);
            Assert.InRange(
                cluster.Scheduler.Time.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromMilliseconds(100));
        });
    }

    [Fact]
    [Trait("Rule", "S22")]
    public void An_accept_that_is_refused_beside_others_that_are_taken_was_not_taken()
    {
        var cluster = new SimulatedCluster();
        cluster.Run(async () =>
        {
            await cluster.StartAllAsync();
            var (one, two) = (await WriteAsync("one", null, "old"), await WriteAsync("two", null, "old"));

            // From here on the promise that silo 0 keeps for the second register is worth nothing.
            Assert.Equal("old", TextOf(await cluster.ReadAsync(1, "two")));
            var together = false;
            cluster.Network.OnSend = (_, _, batch) =>
            {
                together |= batch.Requests.Count(request => request.Request is Accept) == 2;
                return Fate.Deliver;
            };
            await Task.WhenAll(WriteAsync("one", one, "new"), WriteAsync("two", two, "new"));

            Assert.True(together);
            Assert.Equal("new", TextOf(await cluster.ReadAsync(1, "one")));
            Assert.Equal("new", TextOf(await cluster.ReadAsync(1, "two")));
        });

        async Task<RegisterVersion> WriteAsync(string key, RegisterVersion? expected, string text) =>
            VersionOf(await cluster.WriteAsync(0, key, expected, text));
    }

    [Fact]
    public void Duelling_silos_all_come_to_an_end() // S23
    {
        var cluster = new SimulatedCluster();
        cluster.Run(async () =>
        {
            await cluster.StartAllAsync();
            var counted = 0;
            async Task CountAsync(int silo)
            {
                for (var i = 0; i < 20;)
                {
                    var found = Assert.IsType<ChangeResult.Found>(await cluster.ReadAsync(silo, "k"));
                    var result = await cluster.WriteAsync(silo, "k", found.Value?.Version, "x");
                    i += result is ChangeResult.Applied ? 1 : 0;
                    counted += result is ChangeResult.Applied ? 1 : 0;
                }
            }

            await Task.WhenAll(CountAsync(0), CountAsync(1), CountAsync(2));
            Assert.Equal(60, counted);
        });
    }
}
