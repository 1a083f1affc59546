using System.Diagnostics;
using HdrHistogram;
using Orleans.Consensus.Benchmarks.Cluster;

namespace Orleans.Consensus.Benchmarks.Load;

/// <summary>One caller's next call; false when there is nothing left to call.</summary>
internal delegate ValueTask<bool> Call();

/// <summary>
/// Callers that each make one call after the other. Calls count that end within the measured time; the callers don't
/// pause between warm-up and measurement.
/// </summary>
internal sealed class ClosedLoop(BenchmarkServers servers)
{
    // In ticks of 100 ns, up to a minute, at three digits.
    private const long LongestLatency = TimeSpan.TicksPerMinute;
    private const int Digits = 3;

    private readonly LongConcurrentHistogram _latencies = new(1, LongestLatency, Digits);
    private volatile bool _measuring;
    private volatile bool _over;

    /// <summary>Runs once; what a call throws ends it.</summary>
    public async Task<LoopResult> RunAsync(
        IReadOnlyList<Call> callers, TimeSpan warmup, TimeSpan duration, CancellationToken cancellationToken)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        var loops = Task.WhenAll(callers.Select(caller => Task.Run(() => LoopAsync(caller), CancellationToken.None)));
        try
        {
            await PauseAsync(loops, warmup, cancellationToken);
            var before = Usage.Now(servers);
            _measuring = true;
            await PauseAsync(loops, duration, cancellationToken);
            _measuring = false;
            var used = Usage.Now(servers).Since(before);
            return new(_latencies, used);
        }
        finally
        {
            _over = true;
            await loops;
        }
    }

    private static async Task PauseAsync(Task loops, TimeSpan time, CancellationToken cancellationToken)
    {
        var ended = await Task.WhenAny(loops, Task.Delay(time, cancellationToken));
        await ended;
    }

    private async Task LoopAsync(Call caller)
    {
        while (!_over)
        {
            var started = Stopwatch.GetTimestamp();
            if (!await caller())
            {
                return;
            }

            if (_measuring)
            {
                _latencies.RecordValue(Math.Clamp(Stopwatch.GetElapsedTime(started).Ticks, 1, LongestLatency));
            }
        }
    }
}

/// <summary>What was used up at one moment, or between two.</summary>
/// <param name="Elapsed">Time on the wall.</param>
/// <param name="Process">Processor time of this process: silos, client and callers.</param>
/// <param name="Servers">Processor time of Redis and Azurite.</param>
/// <param name="Allocated">Bytes of managed memory allocated.</param>
internal readonly record struct Usage(TimeSpan Elapsed, TimeSpan Process, TimeSpan Servers, long Allocated)
{
    public static Usage Now(BenchmarkServers servers) => new(
        Stopwatch.GetElapsedTime(0),
        Environment.CpuUsage.TotalTime,
        servers.ProcessorTime,
        GC.GetTotalAllocatedBytes());

    public Usage Since(Usage before) => new(
        Elapsed - before.Elapsed, Process - before.Process, Servers - before.Servers, Allocated - before.Allocated);
}

/// <summary>What a loop measured. Latencies are in ticks of 100 ns.</summary>
internal sealed record LoopResult(HistogramBase Latencies, Usage Used);
