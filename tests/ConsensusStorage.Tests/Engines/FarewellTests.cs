using Orleans.Consensus.Journaling;
using Orleans.Consensus.Journaling.Files;
using Orleans.Consensus.Simulation.Clusters;
using static Orleans.Consensus.Simulation.Clusters.SimulatedCluster;

namespace Orleans.Consensus.Tests.Engines;

/// <summary>Silos that are all told to stop at once, some of which have more to write than others.</summary>
public sealed class FarewellTests
{
    private readonly SimulatedCluster _cluster = new();

    [Theory]
    [InlineData("pinned")]
    [InlineData("floating over files")]
    [InlineData("floating over blobs")]
    public void The_last_silo_to_be_done_can_write_to_its_end(string how) => _cluster.Run(async () =>
    {
        await StartAsync(how);
        var version = VersionOf(await _cluster.WriteAsync(2, "k", null, "one"));
        TellAll();
        var leaving = new[] { _cluster.LeaveAsync(0), _cluster.LeaveAsync(1) };
        for (var i = 0; i < 50; i++)
        {
            await _cluster.PassAsync(200);
            version = VersionOf(await _cluster.WriteAsync(2, "k", version, $"{i}"));
        }

        await AssertShortAsync([.. leaving, _cluster.LeaveAsync(2)]);
    });

    [Theory]
    [InlineData("pinned")]
    [InlineData("floating over blobs")]
    public void A_silo_that_is_told_a_little_later_can_write_too(string how) => _cluster.Run(async () =>
    {
        await StartAsync(how);
        var version = VersionOf(await _cluster.WriteAsync(2, "k", null, "one"));
        var leaving = new[] { _cluster.LeaveAsync(0), _cluster.LeaveAsync(1) };
        await _cluster.PassAsync(700);
        TellAll();
        await _cluster.PassAsync(3000);
        version = VersionOf(await _cluster.WriteAsync(2, "k", version, "two"));
        await AssertShortAsync([.. leaving, _cluster.LeaveAsync(2)]);
    });

    [Fact]
    public void A_silo_that_leaves_alone_does_not_wait() => _cluster.Run(async () =>
    {
        await StartAsync("pinned");
        await AssertShortAsync([_cluster.LeaveAsync(0)], 100);
    });

    [Fact]
    public void A_silo_that_died_on_its_way_out_is_not_waited_for_for_long() => _cluster.Run(async () =>
    {
        await StartAsync("pinned");
        TellAll();
        _cluster.Crash(2);
        await AssertShortAsync([_cluster.LeaveAsync(0), _cluster.LeaveAsync(1)], 7000);
    });

    private async Task StartAsync(string how)
    {
        if (how == "floating over blobs")
        {
            _cluster.Float(maxAppends: 1000);
        }
        else if (how == "floating over files")
        {
            var files = new MemoryFiles();
            _cluster.Floating = (_, _, time, random) => logs =>
                new FileJournalStore(files, $"logs/{logs}", _cluster.JournalOptions, time, random);
        }

        await _cluster.StartAllAsync();
        await _cluster.FindOneAnotherAsync();
    }

    /// <summary>Everybody knows that all silos are on their way out.</summary>
    private void TellAll()
    {
        foreach (var address in _cluster.Addresses.Values)
        {
            _cluster.Network.Leaving.Add(address);
        }

        _cluster.Network.Changed();
    }

    private async Task AssertShortAsync(Task[] leaving, double milliseconds = 2000)
    {
        var started = _cluster.Scheduler.Time.GetTimestamp();
        await Task.WhenAll(leaving);
        var took = _cluster.Scheduler.Time.GetElapsedTime(started);
        Assert.True(took <= TimeSpan.FromMilliseconds(milliseconds), $"{took}");
    }
}
