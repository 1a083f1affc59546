using System.Text.RegularExpressions;

namespace Orleans.Consensus.Mutants;

/// <summary>One planted bug: a patch of the shipped code, and the rule that it breaks.</summary>
/// <param name="Name">The patch file's name without its ending.</param>
/// <param name="Rule">As docs/protocol.md numbers it.</param>
/// <param name="Bug">What the programmer got wrong, in a sentence.</param>
/// <param name="Patch">Full path of the patch file.</param>
/// <param name="Sources">The files it changes, relative to the root of the checkout.</param>
internal sealed partial record Mutant(
    string Name, string Rule, string Bug, string Patch, IReadOnlyList<string> Sources)
{
    private const string Folder = "tests/mutants";

    /// <summary>All patches of a checkout in the order of their names.</summary>
    /// <exception cref="FormatException">One of them does not say what it breaks.</exception>
    public static IReadOnlyList<Mutant> ReadAll(string root) =>
        [.. Directory.EnumerateFiles(Path.Combine(root, Folder), "*.patch").Order(StringComparer.Ordinal).Select(Read)];

    /// <summary>
    /// <paramref name="count"/> mutants of <paramref name="all"/>: the next ones for each turn, and round again.
    /// </summary>
    public static IReadOnlyList<Mutant> OfTurn(IReadOnlyList<Mutant> all, long turn, int count) =>
        [.. Enumerable.Range(0, Math.Min(count, all.Count))
            .Select(index => all[(int)(((turn * count) + index) % all.Count)])];

    private static Mutant Read(string patch)
    {
        var lines = File.ReadAllLines(patch);
        var head = lines.TakeWhile(line => !line.StartsWith("diff ", StringComparison.Ordinal)).ToList();
        var sources = lines.Select(line => ChangedFile().Match(line)).Where(match => match.Success)
            .Select(match => match.Groups[1].Value);
        return new(
            Path.GetFileNameWithoutExtension(patch), After("Rule: "), After("Bug: "), patch, [.. sources]);

        string After(string mark) =>
            head.Find(line => line.StartsWith(mark, StringComparison.Ordinal))?[mark.Length..]
            ?? throw new FormatException($"{patch} has no line '{mark}...' before the patch.");
    }

    [GeneratedRegex(@"^\+\+\+ b/(\S+)$")]
    private static partial Regex ChangedFile();
}
