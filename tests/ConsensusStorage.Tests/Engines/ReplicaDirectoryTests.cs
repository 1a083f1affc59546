using Orleans.Consensus.Tests.Journaling;
using static Orleans.Consensus.Simulation.Clusters.SimulatedCluster;

namespace Orleans.Consensus.Tests.Engines;

public sealed class ReplicaDirectoryTests
{
    [Fact]
    [Trait("Rule", "S13")]
    public void Two_stores_alone_that_meet_serve_nothing_and_say_why()
    {
        var cluster = new SimulatedCluster(replicas: 1);
        cluster.Locals[1] = new("r0");
        cluster.Run(async () =>
        {
            await cluster.StartAsync(0);
            VersionOf(await cluster.WriteAsync(0, "k", null, "mine"));
            await cluster.StartAsync(1);
            await cluster.PassAsync(500);
            foreach (var silo in new[] { 0, 1 })
            {
                var result = Assert.IsType<ChangeResult.NotApplied>(await cluster.ReadAsync(silo, "k"));
                Assert.Contains("two different stores", result.Answers[0].Text, StringComparison.Ordinal);
                var status = await cluster.Silos[silo].GetStatusAsync(CancellationToken.None);
                Assert.All(status, one => Assert.Contains("two different", one.Problem, StringComparison.Ordinal));
            }

            await cluster.StopAsync(1);
            Assert.Equal("mine", TextOf(await cluster.ReadAsync(0, "k")));
        });
    }

    [Fact]
    public void A_silo_of_another_shape_is_not_spoken_to()
    {
        var cluster = new SimulatedCluster();
        cluster.Run(async () =>
        {
            await cluster.StartAllAsync();
            cluster.SettingsOf[3] = cluster.Settings with { Replicas = cluster.Replicas, Groups = 9 };
            await cluster.StartAsync(3);
            var result = Assert.IsType<ChangeResult.NotApplied>(await cluster.ReadAsync(3, "k"));
            Assert.All(result.Answers, answer => Assert.False(answer.Answered));
            Assert.Null(TextOf(await cluster.ReadAsync(0, "k")));
        });
    }

    [Fact]
    public void A_dead_silo_is_not_asked_any_more()
    {
        var cluster = new SimulatedCluster();
        cluster.Run(async () =>
        {
            await cluster.StartAllAsync();
            VersionOf(await cluster.WriteAsync(0, "k", null, "one"));
            var dead = cluster.Addresses[2];
            await cluster.StopAsync(2);
            await cluster.PassAsync(200);
            cluster.Network.OnSend = (_, to, _) =>
            {
                Assert.NotEqual(dead, to);
                return Fate.Deliver;
            };
            Assert.Equal("one", TextOf(await cluster.ReadAsync(1, "k")));
        });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Trait("Bug", "E3")]
    public void A_replica_that_was_seen_while_it_recovered_is_found_again(bool byStatus)
    {
        var cluster = new SimulatedCluster();
        var disk = new FaultyFiles(new(1));
        cluster.Disks[2] = disk;
        cluster.Run(async () =>
        {
            await cluster.StartAllAsync();
            var version = VersionOf(await cluster.WriteAsync(0, "k", null, "one"));
            await cluster.PassAsync(500);
            var failing = true;
            disk.Plan = operation => new(
                failing && operation.Action == FileAction.WriteAndFlush ? FileFault.Fail : FileFault.None);

            // Silo 1 writes, so that silo 0 hears of it only when it happens to look.
            version = VersionOf(await cluster.WriteAsync(1, "k", version, "two"));
            await cluster.PassAsync(20);
            if (byStatus)
            {
                await cluster.Silos[0].GetStatusAsync(CancellationToken.None);
            }
            else
            {
                cluster.Network.Changed();
                await cluster.PassAsync(100);
            }

            failing = false;
            await cluster.PassAsync(40_000);
            var asked = false;
            cluster.Network.OnSend = (from, to, _) =>
            {
                asked |= from == cluster.Addresses[0] && to == cluster.Addresses[2];
                return Fate.Deliver;
            };
            VersionOf(await cluster.WriteAsync(0, "k", version, "three"));
            Assert.True(asked, "Silo 0 leaves replica r2 out for ever.");
        });
    }
}
