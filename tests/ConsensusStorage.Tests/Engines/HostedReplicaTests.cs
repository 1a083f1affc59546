using System.Collections.Immutable;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Tests.Journaling;
using Orleans.Consensus.Transport;
using static Orleans.Consensus.Simulation.Clusters.SimulatedCluster;

namespace Orleans.Consensus.Tests.Engines;

/// <summary>The life of replicas: formation, lost and foreign logs, failing and full disks.</summary>
public sealed class HostedReplicaTests
{
    private readonly SimulatedCluster _cluster = new();
    private ulong _asked;

    public HostedReplicaTests()
    {
        for (var silo = 0; silo < 3; silo++)
        {
            _cluster.Disks[silo] = new FaultyFiles(new(silo));
        }
    }

    [Fact]
    [Trait("Rule", "S13")]
    public void The_first_start_needs_all_replicas() => _cluster.Run(async () =>
    {
        await _cluster.StartAsync(0);
        await _cluster.StartAsync(1);
        await _cluster.PassAsync(2000);
        Assert.Equal(ReplicaState.Forming, Describe(0).State);
        Assert.Contains("still missing: r2", Describe(0).Problem, StringComparison.Ordinal);
        var result = Assert.IsType<ChangeResult.NotApplied>(await _cluster.ReadAsync(0, "k"));
        Assert.Contains("still missing: r2", result.Answers[0].Text, StringComparison.Ordinal);
        await _cluster.StartAsync(2);
        Assert.Null(TextOf(await _cluster.ReadAsync(0, "k")));
        Assert.Null(Describe(0).Problem);
    });

    [Fact]
    [Trait("Rule", "S13")]
    public void An_emptied_log_is_refused_for_ever_and_the_others_go_on() => _cluster.Run(async () =>
    {
        await FormAndWriteAsync();
        await _cluster.StopAsync(2);
        _cluster.Disks[2] = new FaultyFiles(new(9));
        await _cluster.StartAsync(2);
        await _cluster.PassAsync(1000);
        Assert.Equal(ReplicaState.Refused, Describe(2).State);
        Assert.Contains("emptied", Describe(2).Problem, StringComparison.Ordinal);
        Assert.Equal("one", TextOf(await _cluster.ReadAsync(2, "k")));
        await _cluster.StopAsync(1);
        await _cluster.PassAsync(1000);
        Assert.IsType<ChangeResult.NotApplied>(await _cluster.ReadAsync(0, "k"));
        Assert.NotNull((await AskAsync(2, Describe(0).Peers[2])).Refusal);
    });

    [Fact]
    [Trait("Rule", "S13")]
    public void A_replica_that_was_late_when_the_store_was_formed_takes_the_place_of_one_that_is_lost() =>
        _cluster.Run(async () =>
        {
            // It stores what the others need of it, and not yet that it may serve.
            var late = (FaultyFiles)_cluster.Disks[2];
            await _cluster.StartAllAsync();
            late.Plan = operation => new(
                operation.Action == FileAction.WriteAndFlush && !Describe(2).Peers.IsEmpty
                    ? FileFault.Fail
                    : FileFault.None);
            VersionOf(await _cluster.WriteAsync(0, "k", null, "one"));
            Assert.NotEqual(ReplicaState.Serving, Describe(2).State);

            await _cluster.StopAsync(1);
            _cluster.Disks[1] = new FaultyFiles(new(9));
            await _cluster.StartAsync(1);
            await _cluster.PassAsync(1000);
            Assert.Equal(ReplicaState.Refused, Describe(1).State);
            late.Plan = static _ => new(FileFault.None);
            await _cluster.PassAsync(60_000);
            Assert.Equal(ReplicaState.Serving, Describe(2).State);
            Assert.Equal("one", TextOf(await _cluster.ReadAsync(2, "k")));
        });

    [Fact]
    [Trait("Rule", "S13")]
    public void The_original_directory_put_back_serves_again() => _cluster.Run(async () =>
    {
        await FormAndWriteAsync();
        var original = _cluster.Disks[2];
        await _cluster.StopAsync(2);
        _cluster.Disks[2] = new FaultyFiles(new(9));
        await _cluster.StartAsync(2);
        await _cluster.PassAsync(1000);
        await _cluster.StopAsync(2);
        _cluster.Disks[2] = original;
        await _cluster.StartAsync(2);
        await _cluster.PassAsync(1000);
        Assert.Equal(ReplicaState.Serving, Describe(2).State);
        await _cluster.StopAsync(1);
        Assert.Equal("one", TextOf(await _cluster.ReadAsync(0, "k")));
    });

    [Fact]
    [Trait("Rule", "S13")]
    [Trait("Bug", "E5")]
    public void A_copy_of_a_log_from_before_the_formation_is_refused() => _cluster.Run(async () =>
    {
        await _cluster.StartAsync(2);
        await _cluster.PassAsync(500);
        var copy = Copy((FaultyFiles)_cluster.Disks[2], "logs/r2");
        await _cluster.StartAsync(0);
        await _cluster.StartAsync(1);
        VersionOf(await _cluster.WriteAsync(0, "k", null, "one"));
        await _cluster.StopAsync(2);
        _cluster.Disks[2] = copy;
        await _cluster.StartAsync(2);
        await _cluster.PassAsync(2000);
        Assert.Equal(ReplicaState.Refused, Describe(2).State);
    });

    [Fact]
    [Trait("Rule", "S13")]
    public void A_copy_and_its_original_that_see_one_another_both_refuse_for_good() => _cluster.Run(async () =>
    {
        await FormAndWriteAsync();
        await _cluster.StopAsync(2);
        _cluster.Locals[3] = new("r2");
        _cluster.Disks[3] = Copy((FaultyFiles)_cluster.Disks[2], "logs/r2");
        await _cluster.StartAsync(2);
        await _cluster.StartAsync(3);
        await _cluster.PassAsync(1000);
        Assert.All(new[] { 2, 3 }, silo => Assert.Equal(ReplicaState.Refused, Describe(silo).State));
        Assert.Contains("copied", Describe(2).Problem, StringComparison.Ordinal);

        // The silo with the copy is gone; the other one starts anew with what it had all the time.
        await _cluster.StopAsync(3);
        await _cluster.StopAsync(2);
        await _cluster.StartAsync(2);
        await _cluster.PassAsync(1000);
        Assert.Equal(ReplicaState.Serving, Describe(2).State);
    });

    [Fact]
    [Trait("Rule", "S13")]
    public void A_log_of_another_formation_is_refused() => _cluster.Run(async () =>
    {
        await FormAndWriteAsync();
        var foreign = new SimulatedCluster(seed: 5) { Disks = { [2] = new FaultyFiles(new(7)) } };
        foreign.Run(async () =>
        {
            await foreign.StartAllAsync();
            VersionOf(await foreign.WriteAsync(0, "k", null, "foreign"));
            await foreign.StopAsync(2);
        });
        await _cluster.StopAsync(2);
        _cluster.Disks[2] = foreign.Disks[2];
        await _cluster.StartAsync(2);
        await _cluster.PassAsync(1000);
        Assert.Equal("one", TextOf(await _cluster.ReadAsync(2, "k")));
        await _cluster.StopAsync(1);
        await _cluster.PassAsync(1000);
        Assert.IsType<ChangeResult.NotApplied>(await _cluster.ReadAsync(0, "k"));
    });

    [Fact]
    [Trait("Rule", "S13")]
    public void Of_two_silos_with_one_replica_at_most_one_serves() => _cluster.Run(async () =>
    {
        _cluster.Locals[3] = new("r2");
        await _cluster.StartAsync(3);
        await _cluster.StartAllAsync();
        await _cluster.PassAsync(3000);
        Assert.InRange(new[] { 2, 3 }.Count(silo => Describe(silo).State == ReplicaState.Serving), 0, 1);
        Assert.Contains(new[] { 0, 1, 2, 3 }, silo => Describe(silo).Problem is not null);
        await _cluster.StopAsync(3);
        await _cluster.PassAsync(2000);
        Assert.Null(TextOf(await _cluster.ReadAsync(0, "k")));
    });

    [Theory]
    [InlineData("the number of groups")]
    [InlineData("the ServiceId")]
    [InlineData("the store")]
    [InlineData("the replica list")]
    public void A_log_of_another_shape_stops_the_start(string what) => _cluster.Run(async () =>
    {
        await FormAndWriteAsync();
        await _cluster.StopAsync(2);
        var settings = _cluster.Settings with { Replicas = _cluster.Replicas };
        _cluster.SettingsOf[2] = what switch
        {
            "the number of groups" => settings with { Groups = 8 },
            "the ServiceId" => settings with { Service = "another" },
            "the store" => settings with { Store = "another" },
            _ => settings with { Replicas = new([new("r0"), new("r1"), new("r2"), new("r3")]) },
        };
        var problem = await Assert.ThrowsAsync<JournalIdentityException>(() => _cluster.StartAsync(2));
        Assert.Contains(what, problem.Message, StringComparison.Ordinal);
        _cluster.SettingsOf.Remove(2);
        await _cluster.StartAsync(2);
    });

    [Fact]
    [Trait("Rule", "S13")]
    [Trait("Rule", "S15")]
    public void Messages_for_another_log_generation_replica_or_store_are_refused() => _cluster.Run(async () =>
    {
        await FormAndWriteAsync();
        var log = Describe(2).Log!.Value;
        Assert.Null((await AskAsync(2, log)).Refusal);
        Assert.Contains("has log", (await AskAsync(2, new(1))).Refusal, StringComparison.Ordinal);
        Assert.Contains(
            "configuration generation", (await AskAsync(2, log, generation: 2)).Refusal, StringComparison.Ordinal);
        Assert.NotNull((await AskAsync(2, log, replica: "r1")).Refusal);
        Assert.NotNull((await AskAsync(2, log, store: "another")).Refusal);
    });

    [Fact]
    public void A_damaged_log_is_quarantined_and_the_others_serve() => _cluster.Run(async () =>
    {
        await FormAndWriteAsync();
        await _cluster.StopAsync(2);
        var disk = (FaultyFiles)_cluster.Disks[2];
        var bytes = disk.Get("logs/r2", "segment-00000001");
        bytes[4096 + 60] ^= 1;
        disk.Put("logs/r2", "segment-00000001", bytes);
        await _cluster.StartAsync(2);
        await _cluster.PassAsync(1000);
        Assert.Equal(ReplicaState.Refused, Describe(2).State);
        Assert.Contains("Segment 1 of the log in logs/r2", Describe(2).Problem, StringComparison.Ordinal);
        Assert.Equal("one", TextOf(await _cluster.ReadAsync(2, "k")));
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Trait("Rule", "S18")]
    public void After_a_failed_flush_a_replica_opens_its_log_again_and_serves(bool isUnclosable) =>
        _cluster.Run(async () =>
        {
            _cluster.Intercept = (_, journals) => isUnclosable ? new UnclosableJournals(journals) : journals;
            var version = await FormAndWriteAsync();
            await _cluster.StopAsync(1);
            var failures = 0;
            ((FaultyFiles)_cluster.Disks[2]).Plan = operation => new(
                operation.Action == FileAction.WriteAndFlush && failures++ < 3 ? FileFault.Fail : FileFault.None);
            VersionOf(await _cluster.WriteAsync(0, "k", version, "two"));
            Assert.True(failures >= 3);
            Assert.Equal(ReplicaState.Serving, Describe(2).State);
            Assert.Equal("two", TextOf(await _cluster.ReadAsync(2, "k")));
        });

    [Fact]
    public void A_full_disk_refuses_the_others_serve_and_it_works_again_later() => _cluster.Run(async () =>
    {
        _cluster.JournalOptions = TestLog.SmallSegments;
        var version = await FormAndWriteAsync();
        var disk = (FaultyFiles)_cluster.Disks[2];
        disk.Room = disk.BytesUsed;
        for (var i = 0; i < 60; i++)
        {
            version = VersionOf(await _cluster.WriteAsync(0, "k", version, new string('x', 500)));
        }

        Assert.Equal(ReplicaState.Serving, Describe(2).State);
        var behind = Describe(2).Groups;
        await _cluster.StopAsync(1);
        await _cluster.PassAsync(200);
        var full = await _cluster.WriteAsync(0, "k", version, new string('x', 500));
        var unknown = Assert.IsType<ChangeResult.Unknown>(full);
        Assert.Contains(unknown.Answers, answer => answer.Text.Contains("room", StringComparison.Ordinal));
        disk.Room = long.MaxValue;
        await _cluster.PassAsync(10_000);
        VersionOf(await _cluster.WriteAsync(0, "k", version, "two", unknown.InDoubt));
        Assert.Contains(Describe(2).Groups.Zip(behind), pair => pair.First > pair.Second);
    });

    [Fact]
    [Trait("Bug", "E4")]
    public void A_silo_that_stops_while_its_log_is_being_opened_again_comes_to_an_end() => _cluster.Run(async () =>
    {
        var version = await FormAndWriteAsync();
        var disk = (FaultyFiles)_cluster.Disks[2];
        var writes = 0;
        disk.Plan = async operation =>
        {
            var number = operation.Action == FileAction.WriteAndFlush ? ++writes : 0;
            await _cluster.PassAsync(50);
            return number == 1 ? FileFault.Fail : FileFault.None;
        };
        VersionOf(await _cluster.WriteAsync(0, "k", version, "two"));
        var store = _cluster.Silos[2];

        // The first write fails, the second repairs the tail, the third is the fence: it can't be called off.
        while (writes < 3)
        {
            await _cluster.PassAsync(10);
        }

        var stopping = _cluster.StopAsync(2);
        await Task.WhenAny(stopping, _cluster.PassAsync(30_000));
        Assert.True(stopping.IsCompleted, $"{store.Hosted[0].State}: the silo does not stop.");
    });

    [Fact]
    public void A_replica_is_found_again_on_another_address() => _cluster.Run(async () =>
    {
        var version = await FormAndWriteAsync();
        for (var i = 0; i < 6; i++)
        {
            var silo = i % 3;
            _cluster.Crash(silo);
            var dead = _cluster.Addresses[silo];
            await _cluster.StartAsync(silo);
            _cluster.Network.Remove(dead);
            await _cluster.PassAsync(300);
            version = VersionOf(await _cluster.WriteAsync((i + 1) % 3, "k", version, $"{i}"));
        }

        await _cluster.StopAsync(1);
        Assert.Equal("5", TextOf(await _cluster.ReadAsync(0, "k")));
    });

    private ReplicaDescription Describe(int silo) => _cluster.Silos[silo].Hosted[0];

    private async Task<RegisterVersion> FormAndWriteAsync()
    {
        await _cluster.StartAllAsync();
        var version = VersionOf(await _cluster.WriteAsync(0, "k", null, "one"));
        await _cluster.PassAsync(100);
        return version;
    }

    private Task<BatchReply> AskAsync(
        int silo, LogId log, long generation = 1, string replica = "r2", string store = "Default")
    {
        var ballot = new Ballot(
            Ballot.RoundAt(_cluster.Scheduler.Time.GetUtcNow().ToUnixTimeMilliseconds()), new((UInt128)1));
        ImmutableArray<RegisterRequest> requests = [new(Register("other"), new Prepare(ballot, false))];
        return _cluster.Silos[silo].Targets.Single().Target.HandleAsync(
            new(store, new(replica), log, generation, requests, new(1, ++_asked)), CancellationToken.None);
    }

    [Fact, Trait("Rule", "S6")]
    public void A_copy_of_a_message_is_not_looked_at() => _cluster.Run(async () =>
    {
        await FormAndWriteAsync();
        var log = Describe(2).Log!.Value;
        Assert.Null((await AskAsync(2, log)).Refusal);
        _asked--;
        Assert.Contains("came before", (await AskAsync(2, log)).Refusal, StringComparison.Ordinal);
        _asked++;
        Assert.Null((await AskAsync(2, log)).Refusal);
    });

    private static FaultyFiles Copy(FaultyFiles files, string path)
    {
        var copy = new FaultyFiles(new(3));
        foreach (var name in files.NamesIn(path))
        {
            copy.Put(path, name, files.Get(path, name));
        }

        return copy;
    }
}
