using System.Globalization;
using Orleans.Consensus.Benchmarks.Load;

namespace Orleans.Consensus.Benchmarks.Report;

/// <summary>What states of different sizes cost: calls and bytes a second, and how long a call takes.</summary>
internal static class SizeTable
{
    public static void Write(TextWriter output, IEnumerable<SizedStates> workloads, IReadOnlyList<Result> results)
    {
        foreach (var kind in workloads.Where(workload => workload.Concurrency.Count > 0)
            .GroupBy(workload => workload.Reads))
        {
            output.WriteLine();
            output.WriteLine($"## {(kind.Key ? "reads" : "writes")} by size: calls/s · MiB/s · p50 ms · p99 ms");
            output.WriteLine();
            output.WriteLine($"| bytes | {string.Join(" | ", kind.First().Concurrency.Select(CallersOf))} |");
            output.WriteLine($"|--:|{string.Concat(Enumerable.Repeat("--:|", kind.First().Concurrency.Count))}");
            foreach (var workload in kind)
            {
                var cells = results
                    .Where(result => result.Subject.Workload == workload.Name)
                    .Select(result => Cell(workload, result));
                output.WriteLine(string.Create(
                    CultureInfo.InvariantCulture, $"| {workload.Size:n0} | {string.Join(" | ", cells)} |"));
            }
        }
    }

    private static string CallersOf(int callers) =>
        string.Create(CultureInfo.InvariantCulture, $"{callers} {(callers == 1 ? "caller" : "callers")}");

    private static string Cell(SizedStates workload, Result result)
    {
        var figures = result.Median;
        var failed = workload.FailuresOf(result.Subject.Concurrency);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{figures.PerSecond:n0} · {figures.PerSecond * workload.Size / (1024 * 1024):n1} · {figures.P50:0.0} "
            + $"· {figures.P99:0.0}{(failed == 0 ? "" : $" · {failed} failed")}");
    }
}
