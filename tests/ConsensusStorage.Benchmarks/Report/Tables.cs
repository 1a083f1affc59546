using System.Globalization;

namespace Orleans.Consensus.Benchmarks.Report;

/// <summary>Results as Markdown tables.</summary>
internal static class Tables
{
    public static void Write(TextWriter output, IReadOnlyList<Result> results)
    {
        foreach (var workload in results.GroupBy(result => result.Subject.Workload))
        {
            output.WriteLine();
            output.WriteLine($"## {workload.Key}");
            output.WriteLine();
            output.WriteLine(
                "| callers | provider | calls/s | p50 ms | p99 ms | p99.9 ms | CPU s per 1,000 | of servers "
                + "| bytes allocated | spread |");
            output.WriteLine("|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|");
            foreach (var result in workload)
            {
                output.WriteLine(Row(result));
            }

            WriteRatios(output, [.. workload]);
        }

        BlobRatios.Write(output, results);
    }

    public static string Row(Result result)
    {
        var (subject, figures) = (result.Subject, result.Median);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"| {subject.Concurrency} | {subject.Provider} | {figures.PerSecond:n0} | {figures.P50:0.000} "
            + $"| {figures.P99:0.00} | {figures.P999:0.00} | {figures.CpuPerThousand:0.000} "
            + $"| {figures.ServersCpuPerThousand:0.000} | {figures.AllocatedPerCall:n0} | {result.Spread:p0} |");
    }

    /// <summary>Calls a second and p50, each as a multiple.</summary>
    public static string Ratio(Figures own, Figures other) => string.Create(
        CultureInfo.InvariantCulture, $"{own.PerSecond / other.PerSecond:0.00} · {own.P50 / other.P50:0.00}");

    private static void WriteRatios(TextWriter output, IReadOnlyList<Result> results)
    {
        var own = results.Where(result => result.Subject.Provider == Provider.Consensus).ToList();
        var peers = results.Select(result => result.Subject.Provider).Distinct().Except([Provider.Consensus]).ToList();
        if (own.Count == 0 || peers.Count == 0)
        {
            return;
        }

        output.WriteLine();
        output.WriteLine("consensus against its peers in this run: calls/s as a multiple, p50 as a multiple");
        output.WriteLine();
        output.WriteLine($"| callers | {string.Join(" | ", peers)} |");
        output.WriteLine($"|--:|{string.Concat(Enumerable.Repeat("---|", peers.Count))}");
        foreach (var result in own)
        {
            var ratios = peers.Select(peer => Ratio(result, results, peer));
            output.WriteLine($"| {result.Subject.Concurrency} | {string.Join(" | ", ratios)} |");
        }
    }

    private static string Ratio(Result own, IReadOnlyList<Result> results, string peer) => Ratio(
        own.Median, results.Single(result => result.Subject == own.Subject with { Provider = peer }).Median);
}
