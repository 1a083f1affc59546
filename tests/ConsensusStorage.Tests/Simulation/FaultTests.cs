using Orleans.Consensus.Journaling;
using Orleans.Consensus.Simulation.Faults;
using Orleans.Consensus.Simulation.Scenarios;

namespace Orleans.Consensus.Tests.Simulation;

public sealed class FaultTests
{
    private readonly SimulatedCluster _cluster = new();
    private readonly List<FaultKind> _felt = [];

    [Theory]
    [InlineData(FaultKind.Loss)]
    [InlineData(FaultKind.Duplication)]
    [InlineData(FaultKind.Reordering)]
    [InlineData(FaultKind.Delay)]
    [InlineData(FaultKind.Partition)]
    [InlineData(FaultKind.Flapping)]
    internal void A_network_fault_that_meets_no_message_has_not_struck(FaultKind kind)
    {
        var network = new NetworkFaults(_cluster, new(1));
        network.BeginDelays();
        _cluster.Run(() => network.StrikeAsync(Due(kind), new(3)));
        Assert.Empty(_felt);
    }

    [Theory]
    [InlineData(FaultKind.Loss)]
    [InlineData(FaultKind.Duplication)]
    [InlineData(FaultKind.Delay)]
    [InlineData(FaultKind.Partition)]
    internal void A_network_fault_has_struck_once_a_message_met_it(FaultKind kind)
    {
        var network = new NetworkFaults(_cluster, new(1));
        network.BeginDelays();
        _cluster.Run(async () =>
        {
            await _cluster.StartAllAsync();
            await _cluster.FindOneAnotherAsync();
            var striking = network.StrikeAsync(Due(kind), new(3));
            for (var write = 0; write < 20 && !striking.IsCompleted; write++)
            {
                await Task.WhenAny(_cluster.WriteAsync(write % 3, $"{write}", null, "text"), striking);
            }

            await striking;
        });
        Assert.Equal([kind], _felt);
    }

    [Fact]
    public void Wrong_views_overlap_and_each_ends_its_own()
    {
        var network = new NetworkFaults(_cluster, new(1));
        _cluster.Run(async () =>
        {
            await _cluster.StartAllAsync();
            var view = _cluster.Network.ViewOf(_cluster.Addresses[0]);
            var longer = network.StrikeAsync(Due(FaultKind.WrongView, 900), new(3));
            var seen = view.LiveSilos;
            Assert.NotEqual(_cluster.Network.Live, seen);
            await network.StrikeAsync(Due(FaultKind.WrongView, 100), new(4));
            Assert.Equal(seen, view.LiveSilos);
            await longer;
            Assert.Equal(_cluster.Network.Live, view.LiveSilos);
        });
    }

    [Fact]
    public void A_disk_is_full_until_the_last_fault_that_filled_it_is_over()
    {
        var disks = new DiskFaults(_cluster, new(1)) { Crashed = static (_, _) => { } };
        var disk = disks.Add(0);
        _cluster.Run(async () =>
        {
            var longer = disks.StrikeAsync(Due(FaultKind.FullDisk, 900), new(1));
            await disks.StrikeAsync(Due(FaultKind.FullDisk, 100), new(1));
            Assert.Empty(_felt);
            await Assert.ThrowsAsync<DiskFullException>(() => WriteAsync(disk));
            Assert.Equal([FaultKind.FullDisk], _felt);
            await longer;
            await WriteAsync(disk);
        });
    }

    [Theory]
    [InlineData(FaultKind.SlowDisk)]
    [InlineData(FaultKind.FailingFlush)]
    internal void A_disk_fault_has_struck_once_an_operation_felt_it(FaultKind kind)
    {
        var disks = new DiskFaults(_cluster, new(1)) { Crashed = static (_, _) => { } };
        var disk = disks.Add(0);
        _cluster.Run(async () =>
        {
            await disks.StrikeAsync(Due(kind), new(1));
            await WriteAsync(disk);
            Assert.Empty(_felt);

            var striking = disks.StrikeAsync(Due(kind, 60_000), new(1));
            for (var write = 0; write < 100; write++)
            {
                try
                {
                    await WriteAsync(disk);
                }
                catch (IOException)
                {
                    // A flush that fails.
                }
            }

            await striking;
            Assert.Equal([kind], _felt);
        });
    }

    [Theory]
    [InlineData(FileAction.Create)]
    [InlineData(FileAction.Rename)]
    [InlineData(FileAction.Delete)]
    [InlineData(FileAction.FlushDirectory)]
    [InlineData(FileAction.Write)]
    [InlineData(FileAction.Flush)]
    [InlineData(FileAction.WriteAndFlush)]
    internal void Power_can_fail_in_any_change_of_a_disk(FileAction action)
    {
        var crash = new ArmedCrash(Due(FaultKind.CrashInWrite), changes: 1, ofNames: action.ChangesNames());
        Assert.False(crash.Hits(FileAction.Read));
        Assert.False(crash.Hits(action));
        Assert.True(crash.Hits(action));
    }

    [Fact]
    public void A_process_goes_on_when_its_last_pause_is_over()
    {
        var process = new SimulatedProcess(_cluster.Scheduler);
        process.Pause();
        process.Pause();
        process.Resume();
        Assert.True(process.IsPaused);
        process.Resume();
        Assert.False(process.IsPaused);
        process.Resume();
        process.Pause();
        Assert.True(process.IsPaused);
    }

    private static async Task WriteAsync(FaultyFiles disk)
    {
        await using var directory = await disk.LockDirectoryAsync("logs", "test", CancellationToken.None);
        var file = await directory.CreateAsync("file", CancellationToken.None);
        await file.WriteAndFlushAsync(0, new byte[100], CancellationToken.None);
    }

    private ActiveFault Due(FaultKind kind, double lasts = 500) =>
        new(new(0, kind, TimeSpan.Zero, TimeSpan.FromMilliseconds(lasts), 0, Seed: 59), fault => _felt.Add(fault.Kind));
}
