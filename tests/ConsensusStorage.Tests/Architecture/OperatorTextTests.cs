using System.Globalization;
using System.Text.RegularExpressions;

namespace Orleans.Consensus.Tests.Architecture;

/// <summary>What operators read: messages and log events.</summary>
public sealed partial class OperatorTextTests
{
    private const string Library = "src/ConsensusStorage";

    [Fact]
    public void No_message_names_a_rule_by_its_number() => Assert.Empty(
        from file in SourceTree.Files("src")
        from literal in StringsOf(file.Text)
        where RuleNumber().IsMatch(literal)
        select $"{file}: {literal}");

    [Fact]
    public void Every_log_event_has_an_id_and_a_level_of_its_own_choice()
    {
        var declared = SourceTree.Files("src").Sum(file => Regex.Count(file.Code, @"\[LoggerMessage\("));
        Assert.Equal(declared, EventsIn("src").Count());
    }

    [Fact]
    public void No_two_log_events_have_the_same_id() => Assert.Empty(
        EventsIn(Library).GroupBy(one => one.Id).Where(same => same.Count() > 1).Select(same => $"{same.Key}"));

    [Fact]
    public void The_documentation_lists_every_log_event_with_its_level()
    {
        var page = File.ReadAllText(Path.Combine(SourceTree.Root, "docs", "log-events.md"));
        var listed = EventRow().Matches(page).Select(row => (Number(row.Groups[1].Value), row.Groups[2].Value));
        Assert.Equal(EventsIn(Library).Select(one => (one.Id, one.Level)).Order(), listed.Order());
    }

    private static IEnumerable<(int Id, string Level)> EventsIn(string folder) =>
        from file in SourceTree.Files(folder)
        from Match found in LogEvent().Matches(file.Text)
        select (Number(found.Groups["id"].Value), found.Groups["level"].Value);

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    /// <summary>The literals of a file; what stands in the holes of an interpolated one is left in.</summary>
    private static IEnumerable<string> StringsOf(string text) => CommentOrString().Matches(text)
        .Select(match => match.Value)
        .Where(value => !value.StartsWith("//", StringComparison.Ordinal)
            && !value.StartsWith("/*", StringComparison.Ordinal));

    [GeneratedRegex(@"\bS\d{1,2}[a-z]?\b")]
    private static partial Regex RuleNumber();

    [GeneratedRegex(@"\[LoggerMessage\(\s*(?:EventId = )?(?<id>\d+),\s*(?:LogLevel\.(?<level>\w+)|Message)")]
    private static partial Regex LogEvent();

    [GeneratedRegex(@"^\| (\d+) \| (\w+) \|", RegexOptions.Multiline)]
    private static partial Regex EventRow();

    [GeneratedRegex("""
        //[^\n]*|/\*.*?\*/|\"{3}.*?\"{3}|@\"(?:[^\"]|\"\")*\"|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])+'
        """, RegexOptions.Singleline)]
    private static partial Regex CommentOrString();
}
