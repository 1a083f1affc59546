using Orleans.Consensus.Benchmarks.Load;

namespace Orleans.Consensus.Benchmarks.Report;

/// <summary>What was measured.</summary>
internal sealed record Subject(string Workload, int Concurrency, string Provider);

/// <summary>One measurement, or the median of several, figure by figure.</summary>
/// <param name="PerSecond">Calls a second.</param>
/// <param name="P50">Milliseconds.</param>
/// <param name="P99">Milliseconds.</param>
/// <param name="P999">Milliseconds.</param>
/// <param name="CpuPerThousand">Processor seconds of this process for 1,000 calls.</param>
/// <param name="ServersCpuPerThousand">Processor seconds of Redis and Azurite for 1,000 calls.</param>
/// <param name="AllocatedPerCall">Bytes of managed memory for one call.</param>
internal sealed record Figures(
    double PerSecond,
    double P50,
    double P99,
    double P999,
    double CpuPerThousand,
    double ServersCpuPerThousand,
    double AllocatedPerCall)
{
    public static Figures Of(LoopResult result)
    {
        var calls = (double)result.Latencies.TotalCount;
        if (calls == 0)
        {
            throw new InvalidOperationException("Nothing was measured: give it more --seconds or --cold-keys.");
        }

        return new(
            calls / result.Used.Elapsed.TotalSeconds,
            MillisecondsAt(50),
            MillisecondsAt(99),
            MillisecondsAt(99.9),
            result.Used.Process.TotalSeconds / calls * 1000,
            result.Used.Servers.TotalSeconds / calls * 1000,
            result.Used.Allocated / calls);

        double MillisecondsAt(double percentile) =>
            result.Latencies.GetValueAtPercentile(percentile) / (double)TimeSpan.TicksPerMillisecond;
    }

    public static Figures MedianOf(IReadOnlyCollection<Figures> rounds) => new(
        Median(rounds, round => round.PerSecond),
        Median(rounds, round => round.P50),
        Median(rounds, round => round.P99),
        Median(rounds, round => round.P999),
        Median(rounds, round => round.CpuPerThousand),
        Median(rounds, round => round.ServersCpuPerThousand),
        Median(rounds, round => round.AllocatedPerCall));

    private static double Median(IReadOnlyCollection<Figures> rounds, Func<Figures, double> figure)
    {
        var sorted = rounds.Select(figure).Order().ToArray();
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}

/// <summary>All rounds of one subject.</summary>
internal sealed record Result(Subject Subject, IReadOnlyList<Figures> Rounds)
{
    public Figures Median { get; } = Figures.MedianOf(Rounds);

    /// <summary>From the slowest to the fastest round, as a part of the median: how noisy it was.</summary>
    public double Spread =>
        (Rounds.Max(round => round.PerSecond) - Rounds.Min(round => round.PerSecond)) / Median.PerSecond;
}
