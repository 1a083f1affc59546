using System.Globalization;
using System.Text;
using Orleans.Consensus.Mutants.Hunters;

namespace Orleans.Consensus.Mutants;

/// <summary>The outcomes as a table in Markdown, with totals.</summary>
internal static class MutantReport
{
    private const int MostColumns = 90;

    /// <param name="planned">How many mutants were to be tried.</param>
    public static string Write(IReadOnlyList<MutantOutcome> outcomes, int planned)
    {
        var text = new StringBuilder();
        var hunters = MutantRun.HunterNames
            .Where(name => outcomes.Any(outcome => outcome.Verdicts.Any(one => one.Hunter == name)))
            .ToList();
        text.AppendLine($"| rule | mutant | what is broken | {string.Join(" | ", hunters)} |");
        text.AppendLine($"|---|---|---|{string.Concat(hunters.Select(_ => "---|"))}");
        foreach (var outcome in outcomes)
        {
            var cells = hunters.Select(hunter => Cell(outcome, hunter));
            text.AppendLine(
                $"| {outcome.Mutant.Rule} | {outcome.Mutant.Name} | {outcome.Problem ?? outcome.Mutant.Bug} | "
                + $"{string.Join(" | ", cells)} |");
        }

        text.AppendLine();
        text.AppendLine(Invariant(
            $"{outcomes.Count(one => one.Caught)} of {planned} caught, {outcomes.Count(one => one.Failed)} errors"));
        foreach (var hunter in hunters)
        {
            text.AppendLine(Invariant($"- by {hunter}: {outcomes.Count(one => one.CaughtBy(name => name == hunter))}"));
        }

        text.AppendLine(Invariant(
            $"- by explorer or simulator, without the tests: {outcomes.Count(one => one.CaughtBySimulation)}"));
        var survivors = outcomes.Where(one => !one.Caught).Select(one => one.Mutant.Name).ToList();
        if (survivors.Count > 0)
        {
            text.AppendLine($"- not caught: {string.Join(", ", survivors)}");
        }

        return text.ToString();
    }

    private static string Cell(MutantOutcome outcome, string hunter)
    {
        var verdict = outcome.Verdicts.FirstOrDefault(one => one.Hunter == hunter).Verdict;
        return verdict switch
        {
            null => "",
            { Finding: Finding.Clean } => "-",
            { Finding: Finding.TimedOut } => "no verdict in time",
            _ => Invariant($"{verdict.Elapsed.TotalSeconds:F0} s: {Shortened(verdict.What)}"),
        };
    }

    /// <summary>Of a long test name its end: the method with its arguments.</summary>
    private static string Shortened(string what)
    {
        const string tests = "Orleans.Consensus.Tests.";
        var text = what.Replace("|", "/", StringComparison.Ordinal);
        text = text.StartsWith(tests, StringComparison.Ordinal) ? text[tests.Length..] : text;
        return text.Length > MostColumns ? text[..MostColumns] + "..." : text;
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
