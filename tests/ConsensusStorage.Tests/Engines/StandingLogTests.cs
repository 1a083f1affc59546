using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Orleans.Consensus.Engines;
using static Orleans.Consensus.Simulation.Clusters.SimulatedCluster;

namespace Orleans.Consensus.Tests.Engines;

/// <summary>Lost and returned replicas and quorums in the log.</summary>
public sealed class StandingLogTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly LogLines _lines = new();

    [Fact]
    public void A_lost_replica_is_told_once_with_the_reason_and_once_that_it_is_back()
    {
        var log = new StandingLog("Default", 1, _time, _lines);
        Pass(log, 30, [Replicas(3)]);
        Assert.Equal(["Information 123: Consensus store Default has a quorum: 3 of 3 replicas serve."], _lines.Taken());
        Pass(log, 100, [Replicas(2)]);
        Assert.Equal(
            ["Warning 120: Replica r2 of consensus store Default can't be used from this silo: Blocked. no room"],
            _lines.Taken());
        Pass(log, 100, [Replicas(3)]);
        Assert.StartsWith(
            "Information 121: Replica r2 of consensus store Default can be used from this silo again",
            Assert.Single(_lines.Taken()),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_lost_quorum_is_told_once_with_the_reasons_and_once_that_it_is_back()
    {
        var log = new StandingLog("Default", 1, _time, _lines);
        Pass(log, 1, [Replicas(3)]);
        _lines.Taken();
        Pass(log, 100, [Replicas(1)]);
        var told = _lines.Taken();
        Assert.Equal(3, told.Count);
        Assert.StartsWith(
            "Warning 122: Consensus store Default has no quorum: 1 of 3", told[^1], StringComparison.Ordinal);
        Assert.Contains("Replica 'r1': Blocked. no room", told[^1], StringComparison.Ordinal);
        Pass(log, 100, [Replicas(2)]);
        Assert.Contains(
            "Information 123: Consensus store Default has a quorum: 2 of 3 replicas serve.", _lines.Taken());
    }

    [Fact]
    public void What_passes_in_a_moment_is_not_told()
    {
        var log = new StandingLog("Default", 1, _time, _lines);
        Pass(log, 1, [Replicas(3)]);
        _lines.Taken();
        for (var i = 0; i < 50; i++)
        {
            Pass(log, 1, [Replicas(1)]);
            Pass(log, 1, [Replicas(3)]);
        }

        Assert.Empty(_lines.Taken());
    }

    [Fact]
    public void What_is_missing_from_the_start_is_told_after_a_while()
    {
        var log = new StandingLog("Default", 1, _time, _lines);
        Pass(log, 9, [Replicas(1)]);
        Assert.Empty(_lines.Taken());
        Assert.True(log.IsUnsettled);
        Pass(log, 2, [Replicas(1)]);
        Assert.Equal(3, _lines.Taken().Count);
        Assert.False(log.IsUnsettled);
    }

    [Fact]
    public void Groups_that_are_lost_together_take_one_line()
    {
        var log = new StandingLog("Default", 12, _time, _lines);
        Pass(log, 1, [.. Enumerable.Repeat(Replicas(3), 12)]);
        _lines.Taken();
        Pass(log, 10, [Replicas(3), Replicas(3), .. Enumerable.Repeat(Replicas(2), 10)]);
        Assert.Contains(
            "Default (groups 2, 3, 4, 5, 6, 7, 8, 9 and 2 more) can't be used",
            Assert.Single(_lines.Taken()),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_silo_tells_of_a_disk_that_is_full_and_of_silos_that_die_also_when_nobody_writes()
    {
        var cluster = new SimulatedCluster { Loggers = _lines, JournalOptions = Journaling.TestLog.SmallSegments };
        var disk = new FaultyFiles(new(2));
        cluster.Disks[2] = disk;
        cluster.Run(async () =>
        {
            await cluster.StartAllAsync();
            var version = VersionOf(await cluster.WriteAsync(0, "k", null, "one"));
            await cluster.PassAsync(5000);
            _lines.Taken();
            disk.Room = disk.BytesUsed;
            for (var i = 0; i < 100; i++)
            {
                version = VersionOf(await cluster.WriteAsync(0, "k", version, new string('x', 500)));
            }

            await cluster.PassAsync(30_000);
            var lost = _lines.Taken();
            Assert.Equal(3, lost.Count(line => line.StartsWith("Warning 120: Replica r2", StringComparison.Ordinal)));
            Assert.All(lost, line => Assert.Contains("room", line, StringComparison.Ordinal));

            await cluster.StopAsync(1);
            await cluster.PassAsync(30_000);
            Assert.Equal(2, _lines.Taken().Count(line => line.StartsWith("Warning 122", StringComparison.Ordinal)));
        });
    }

    private void Pass(StandingLog log, int seconds, IReadOnlyList<ImmutableArray<ReplicaStanding>> standings)
    {
        for (var i = 0; i < seconds; i++)
        {
            log.Look(standings);
            _time.Advance(TimeSpan.FromSeconds(1));
        }
    }

    private static ImmutableArray<ReplicaStanding> Replicas(int usable) =>
    [
        .. Enumerable.Range(0, 3).Select(number => new ReplicaStanding(
            new($"r{number}"),
            number < usable ? ConsensusReplicaState.Serving : ConsensusReplicaState.Blocked,
            null,
            null,
            number < usable ? null : "no room",
            null)),
    ];
}

/// <summary>Lines of a log, from Information on: level, event, text.</summary>
internal sealed class LogLines : ILogger, ILoggerFactory
{
    private readonly Lock _lock = new();
    private List<string> _lines = [];

    /// <summary>What was logged since this was asked last.</summary>
    public List<string> Taken()
    {
        lock (_lock)
        {
            var lines = _lines;
            _lines = [];
            return lines;
        }
    }

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        if (logLevel >= LogLevel.Information)
        {
            lock (_lock)
            {
                _lines.Add($"{logLevel} {eventId.Id}: {formatter(state, exception)}");
            }
        }
    }

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider)
    {
        // There is only this one.
    }

    public void Dispose()
    {
        // There is nothing to give back.
    }
}
