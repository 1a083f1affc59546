using Orleans.Consensus.Engines;
using Orleans.Consensus.Simulation.Oracles;

namespace Orleans.Consensus.Tests.Simulation;

/// <summary>Every bound is one that can be broken: one more than allowed is told, once, and no less is.</summary>
[Trait("Rule", "S25")]
public sealed class BoundsOracleTests
{
    private static readonly StoreSettings Settings = new()
    {
        Service = "test",
        Store = "Default",
        Replicas = new([new("r0")]),
        Groups = 1,
        MaxPendingChanges = 3,
        MaxQueuedBytes = 1000,
        PromiseCacheSize = 64,
        ValueCacheBytes = 2048,
    };

    private static readonly StoreLoad Full = new(3, 64 + 32 + 3, 1000, 1000, 2048);

    private readonly List<string> _problems = [];
    private readonly BoundsOracle _bounds;

    public BoundsOracleTests() => _bounds = new(_problems.Add);

    public static TheoryData<string> Breaches => [.. Loads.Keys];

    private static Dictionary<string, StoreLoad> Loads => new()
    {
        ["changes are under way"] = Full with { Pending = 4 },
        ["registers are remembered"] = Full with { Sessions = Full.Sessions + 1 },
        ["bytes wait to be sent"] = Full with { QueuedBytes = 1001 },
        ["bytes wait for the replica"] = Full with { WaitingBytes = 1001 },
        ["bytes of state are in memory"] = Full with { CachedBytes = 2049 },
    };

    [Fact]
    public void A_store_may_be_full()
    {
        _bounds.Look(1, Settings, Full);
        _bounds.LookAfterTheCalls(1, Full with { Pending = 0 });
        _bounds.LookAtRest(1, new(0, 64, 0, 0, 2048));
        _bounds.LookAtTasks(BoundsOracle.LongestQueue);
        _bounds.LookAtStorage("disk of silo 1", BoundsOracle.MostStoredBytes);
        Assert.Empty(_problems);
    }

    [Theory]
    [MemberData(nameof(Breaches))]
    public void One_too_many_is_told_once(string what)
    {
        _bounds.Look(1, Settings, Loads[what]);
        _bounds.Look(1, Settings, Loads[what]);
        Assert.Contains($"Too many {what} on silo 1", Assert.Single(_problems), StringComparison.Ordinal);
    }

    [Fact]
    public void A_change_that_has_not_ended_after_the_last_call_is_told()
    {
        _bounds.LookAfterTheCalls(1, new(1, 0, 0, 0, 0));
        Assert.Contains("after the last call has ended", Assert.Single(_problems), StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_is_left_in_a_queue_is_told()
    {
        _bounds.LookAtRest(1, new(1, 0, 0, 0, 0));
        _bounds.LookAtRest(1, new(0, 0, 1, 0, 0));
        _bounds.LookAtRest(1, new(0, 0, 0, 1, 0));
        Assert.Equal(3, _problems.Count);
        Assert.All(
            _problems, one => Assert.StartsWith("Something is left in the queues", one, StringComparison.Ordinal));
    }

    [Fact]
    public void Too_many_tasks_and_too_full_a_disk_are_told()
    {
        _bounds.LookAtTasks(BoundsOracle.LongestQueue + 1);
        _bounds.LookAtStorage("disk of silo 1", BoundsOracle.MostStoredBytes + 1);
        Assert.Collection(
            _problems,
            tasks => Assert.StartsWith("Too many tasks", tasks, StringComparison.Ordinal),
            disk => Assert.StartsWith("Too much is on the disk of silo 1", disk, StringComparison.Ordinal));
    }
}
