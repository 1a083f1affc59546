using System.Globalization;
using System.Text;

namespace Orleans.Consensus.Simulation.Branches;

/// <summary>Which branches the seeds hardly ever take.</summary>
internal sealed class BranchReport
{
    private readonly SeedCount _count;
    private readonly List<(Branch Branch, int Seeds, string? Excuse)> _all;
    private readonly List<(Branch Branch, int Seeds, string? Excuse)> _rare;

    public BranchReport(IReadOnlyList<Branch> branches, SeedCount count)
    {
        _count = count;
        _all = [.. branches
            .Select((branch, number) => (branch, count.Taken[number], OutOfReach.ReasonFor(branch)))
            .OrderBy(one => one.branch.File, StringComparer.Ordinal)
            .ThenBy(one => one.branch.Line)];
        _rare = [.. _all.Where(one => one.Seeds * 100L < count.Seeds)];
    }

    /// <summary>Every branch that can be reached is taken by 1 % of the seeds at least, and no seed failed.</summary>
    public bool IsClean => _count.Problem is null && _rare.All(one => one.Excuse is not null);

    public string Tell()
    {
        var text = new StringBuilder();
        var rare = _rare.Where(one => one.Excuse is null).ToList();
        var invariant = CultureInfo.InvariantCulture;
        text.AppendLine(
            invariant, $"{_all.Count} branches of the protocol code; seeds that took them, of {_count.Seeds}:");
        foreach (var file in _all.GroupBy(one => one.Branch.File))
        {
            var reachable = file.Where(one => one.Excuse is null).ToList();
            var fewest = reachable.Count == 0 ? "" : $", at least {Share(reachable.Min(one => one.Seeds))} % of seeds";
            text.AppendLine(invariant, $"  {Path.GetFileName(file.Key),-30} {file.Count(),4} branches{fewest}");
        }

        text.AppendLine(invariant, $"Out of reach: {_rare.Count - rare.Count}");
        foreach (var (branch, _, excuse) in _rare.Where(one => one.Excuse is not null))
        {
            text.AppendLine(invariant, $"  {branch}: {excuse}");
        }

        var taken = _all.Except(_rare).Where(one => one.Excuse is not null).ToList();
        text.AppendLine(invariant, $"Not out of reach after all: {taken.Count}");
        foreach (var (branch, seeds, excuse) in taken)
        {
            text.AppendLine(invariant, $"  {Share(seeds),4} %  {branch}: {excuse}");
        }

        text.AppendLine(invariant, $"Below 1 % of the seeds: {rare.Count}");
        foreach (var (branch, seeds, _) in rare)
        {
            text.AppendLine(invariant, $"  {Share(seeds),4} %  {branch}");
        }

        text.Append(_count.Problem is { } problem ? $"{problem}\n" : "");
        return text.ToString();
    }

    private string Share(int seeds) =>
        (100.0 * seeds / _count.Seeds).ToString("0.0", CultureInfo.InvariantCulture);
}
