using Orleans.Consensus.Journaling;
using Orleans.Consensus.Journaling.Blobs;
using Orleans.Consensus.Journaling.Files;
using Orleans.Consensus.Simulation.Blobs;
using Orleans.Consensus.Tests.Journaling;
using Orleans.Consensus.Transport;
using static Orleans.Consensus.Simulation.Clusters.SimulatedCluster;

namespace Orleans.Consensus.Tests.Engines;

/// <summary>Silos that start where there is no room, or no answer, for a while.</summary>
public sealed class FullDiskTests
{
    private const int Replicas = 3;
    private const string NoRoom = "No space left";

    private readonly SimulatedCluster _cluster = new();

    public FullDiskTests()
    {
        _cluster.JournalOptions = TestLog.SmallSegments;
    }

    [Fact]
    public void A_silo_starts_on_a_full_disk_without_its_replica_which_comes_back_when_there_is_room() =>
        _cluster.Run(async () =>
        {
            var disk = new FaultyFiles(new(1));
            _cluster.Disks[2] = disk;
            await _cluster.StartAllAsync();
            var version = VersionOf(await _cluster.WriteAsync(0, "k", null, "one"));
            disk.Room = disk.BytesUsed;

            // Each opening leaves its fence, until there is no room for one.
            for (var starts = 0; Describe(2).State != ReplicaState.Recovering; starts++)
            {
                Assert.True(starts < 50);
                await _cluster.StopAsync(2);
                await _cluster.StartAsync(2);
            }

            Assert.Contains(NoRoom, Describe(2).Problem, StringComparison.Ordinal);
            await _cluster.PassAsync(60_000);
            Assert.Equal(ReplicaState.Recovering, Describe(2).State);
            version = VersionOf(await _cluster.WriteAsync(2, "k", version, "two"));

            disk.Room = long.MaxValue;
            await _cluster.PassAsync(60_000);
            Assert.Equal(ReplicaState.Serving, Describe(2).State);
            Assert.Null(Describe(2).Problem);
            await _cluster.StopAsync(1);
            VersionOf(await _cluster.WriteAsync(2, "k", version, "three"));
        });

    [Fact]
    public void A_first_start_on_a_full_disk_waits_for_room() => _cluster.Run(async () =>
    {
        var disk = new FaultyFiles(new(1)) { Room = 0 };
        _cluster.Disks[2] = disk;
        await _cluster.StartAllAsync();
        await _cluster.PassAsync(60_000);
        Assert.Equal(ReplicaState.Recovering, Describe(2).State);
        Assert.Contains(NoRoom, Describe(2).Problem, StringComparison.Ordinal);
        Assert.Equal(ReplicaState.Forming, Describe(0).State);

        disk.Room = long.MaxValue;
        await _cluster.PassAsync(60_000);
        VersionOf(await _cluster.WriteAsync(0, "k", null, "one"));
        Assert.Equal(ReplicaState.Serving, Describe(2).State);
    });

    [Fact]
    public void A_full_disk_is_not_tried_all_the_time() => _cluster.Run(async () =>
    {
        var disk = new FaultyFiles(new(1)) { Room = 0 };
        _cluster.Disks[2] = disk;
        var tries = 0;
        disk.Plan = operation =>
        {
            tries += operation.Action == FileAction.Create ? 1 : 0;
            return new(FileFault.None);
        };
        await _cluster.StartAllAsync();
        await _cluster.PassAsync(300_000);
        Assert.InRange(tries, 10, 25);
    });

    [Fact]
    public void Floating_replicas_on_a_full_disk_wait_for_room_and_keep_what_they_had() => _cluster.Run(async () =>
    {
        var disk = new FaultyFiles(new(1));
        _cluster.Floating = (_, _, time, random) => logs =>
            new FileJournalStore(disk, $"logs/{logs}", _cluster.JournalOptions, time, random);
        disk.Room = 0;
        await _cluster.StartAsync(0);
        await _cluster.PassAsync(10_000);
        Assert.All(_cluster.Silos[0].Hosted, replica =>
        {
            Assert.Equal(ReplicaState.Recovering, replica.State);
            Assert.Contains("There is no room", replica.Problem, StringComparison.Ordinal);
        });

        disk.Room = long.MaxValue;
        await _cluster.PassAsync(60_000);
        var version = VersionOf(await _cluster.WriteAsync(0, "k", null, "one"));
        disk.Room = disk.BytesUsed;
        for (var starts = 0; starts < 50; starts++)
        {
            await _cluster.StopAsync(0);
            await _cluster.StartAsync(0);
            await _cluster.PassAsync(1000);
        }

        Assert.All(_cluster.Silos[0].Hosted, replica => Assert.Equal(ReplicaState.Recovering, replica.State));
        disk.Room = long.MaxValue;
        await _cluster.PassAsync(60_000);
        Assert.Equal("one", TextOf(await _cluster.ReadAsync(0, "k")));
        VersionOf(await _cluster.WriteAsync(0, "k", version, "two"));
    });

    [Theory]
    [InlineData("Throttled")]
    [InlineData("Lost")]
    public void A_silo_whose_account_gives_no_answer_starts_without_its_replica(string fault) =>
        _cluster.Run(async () =>
        {
            var accounts = Enumerable.Range(0, Replicas)
                .Select(index => new BlobAccount(_cluster.Scheduler.Time, new(index)))
                .ToList();
            _cluster.Intercept = (_, _) => new BlobJournalStore(
                replica => accounts[_cluster.Replicas.IndexOf(replica)].ClientOf(replica.Name),
                "logs",
                _cluster.JournalOptions,
                _cluster.Scheduler.Time,
                new(7));
            await _cluster.StartAllAsync();
            var version = VersionOf(await _cluster.WriteAsync(0, "k", null, "one"));
            await _cluster.StopAsync(2);
            accounts[2].Plan = _ => new(Enum.Parse<BlobFault>(fault));
            await _cluster.StartAsync(2);
            Assert.Equal(ReplicaState.Recovering, Describe(2).State);
            version = VersionOf(await _cluster.WriteAsync(2, "k", version, "two"));

            accounts[2].Plan = null;
            await _cluster.PassAsync(60_000);
            Assert.Equal(ReplicaState.Serving, Describe(2).State);
            await _cluster.StopAsync(1);
            VersionOf(await _cluster.WriteAsync(2, "k", version, "three"));
        });

    private ReplicaDescription Describe(int silo) => _cluster.Silos[silo].Hosted[0];
}
