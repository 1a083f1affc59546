using Orleans.Consensus.Benchmarks.Load;

namespace Orleans.Consensus.Benchmarks.Report;

/// <summary>What is measured over Azure blobs, against what users have instead and against the limit.</summary>
internal static class BlobRatios
{
    public static void Write(TextWriter output, IReadOnlyList<Result> results)
    {
        var raw = results.Where(result => result.Subject.Workload == RawAppends.WorkloadName).ToList();
        var limit = raw.SingleOrDefault(result => result.Subject.Provider == RawAppends.Majority);
        if (limit is null)
        {
            return;
        }

        output.WriteLine();
        output.WriteLine(
            $"{Provider.BlobPerGrain} is one blob per grain (stand-in for Orleans' blob provider), the limit "
            + $"'{RawAppends.Majority}' with one caller: calls/s as a multiple, p50 as a multiple");
        output.WriteLine();
        output.WriteLine($"| callers | | of {Provider.BlobPerGrain} | of the limit |");
        output.WriteLine("|--:|---|---|---|");
        var writes = results.Where(result => result.Subject.Workload == StorageWrites.WorkloadName);
        foreach (var result in writes.Concat(raw))
        {
            var (subject, figures) = (result.Subject, result.Median);
            var other = results.SingleOrDefault(peer => peer.Subject == subject with
            {
                Workload = StorageWrites.WorkloadName,
                Provider = Provider.BlobPerGrain,
            });
            output.WriteLine(
                $"| {subject.Concurrency} | {subject.Provider} "
                + $"| {(other is null ? "" : Tables.Ratio(figures, other.Median))} "
                + $"| {Tables.Ratio(figures, limit.Median)} |");
        }
    }
}
