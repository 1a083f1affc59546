using System.Text.RegularExpressions;

namespace Orleans.Consensus.Tests.Architecture;

/// <summary>docs/protocol.md says for every rule which code keeps it and which tests fail when it is broken.</summary>
public sealed class ProtocolTableTests
{
    public static TheoryData<string> Rules =>
        ["S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S8b", "S9", "S10", "S13", .. Range(17, 26)];

    [Theory]
    [MemberData(nameof(Rules))]
    public void Every_rule_has_a_row_that_names_code_and_tests_that_exist(string rule)
    {
        var rows = Rows().Where(row => row.Rule == rule).ToArray();
        Assert.True(rows.Length == 1, $"docs/protocol.md has {rows.Length} rows for {rule}.");
        Assert.NotEmpty(rows[0].Code);
        Assert.NotEmpty(rows[0].Tests);

        var sources = SourceTree.Files("src").Select(file => file.Path).ToArray();
        Assert.All(
            rows[0].Code,
            name => Assert.Contains(sources, path => path.EndsWith($"/{name}", StringComparison.Ordinal)));
        Assert.Empty(rows[0].Tests.Except(TestNames.Value));
    }

    [Fact]
    public void Every_rule_that_a_test_cites_is_a_rule()
    {
        var known = Rows().Select(row => row.Rule).ToHashSet();
        var cited = SourceTree.Files("tests")
            .SelectMany(file => Regex.Matches(file.Text, """Trait\("Rule", "(\w+)"\)"""))
            .Select(match => match.Groups[1].Value);

        Assert.Empty(cited.Distinct().Except(known));
    }

    private static readonly Lazy<HashSet<string>> TestNames = new(() =>
    [
        .. SourceTree.Files("tests").SelectMany(
            file => Regex.Matches(file.Code, @"\bpublic\s+(?:async\s+)?(?:void|Task|ValueTask)\s+(\w+)\s*\("),
            (_, match) => match.Groups[1].Value),
    ]);

    /// <summary>Rows of the shape | S1 | rule | `File.cs` | `A_test`, `Another_test` |.</summary>
    private static IEnumerable<(string Rule, string[] Code, string[] Tests)> Rows() =>
        from line in File.ReadLines(Path.Combine(SourceTree.Root, "docs", "protocol.md"))
        let cells = line.Split('|').Select(cell => cell.Trim()).ToArray()
        where cells.Length == 6 && Regex.IsMatch(cells[1], @"^S\d+b?$")
        select (cells[1], Names(cells[3], @"[\w./]+\.cs"), Names(cells[4], @"\w+_\w+"));

    private static string[] Names(string cell, string pattern) =>
        [.. Regex.Matches(cell, pattern).Select(match => match.Value)];

    private static IEnumerable<string> Range(int first, int last) =>
        Enumerable.Range(first, last - first + 1).Select(number => $"S{number}");
}
