using System.Text.RegularExpressions;

namespace Orleans.Consensus.Tests.Architecture;

/// <summary>The house rules that text alone can tell. Comments and strings are not code.</summary>
public sealed class TidyTests
{
    private const int MaxLines = 400;
    private const int MaxColumns = 120;

    [Fact]
    public void The_scanner_finds_the_sources_and_sees_code_only()
    {
        Assert.Contains(SourceTree.Files("src"), file => file.Path == "src/ConsensusStorage/Change.cs");
        Assert.Equal("var a =    ;     \nb", SourceTree.CodeOf("var a = \"x\"; // b\nb"));
        Assert.Equal("a     \n   b", SourceTree.CodeOf("a /* x\n*/ b"));
        Assert.Equal("f(   ,     )", SourceTree.CodeOf("f('x', \"\\\"\")"));
    }

    [Fact]
    public void No_file_is_longer_than_400_lines() =>
        AssertNone(All(), file => file.Lines.Length - 1 > MaxLines ? $"{file.Lines.Length - 1} lines" : null);

    [Fact]
    public void No_line_is_longer_than_120_columns() => AssertNone(All(), file =>
    {
        var index = Array.FindIndex(file.Lines, line => line.TrimEnd('\r').Length > MaxColumns);
        return index < 0 ? null : $"line {index + 1}";
    });

    [Theory]
    [InlineData("TODO")]
    [InlineData("FIXME")]
    [InlineData("HACK")]
    [InlineData("NotImplementedException")]
    [InlineData("#region")]
    public void Nothing_is_left_for_later_or_folded_away(string mark) => AssertNone(
        SourceTree.Files("src"), file => file.Text.Contains(mark, StringComparison.Ordinal) ? mark : null);

    [Theory]
    [InlineData(@"\basync\s+void\b")]
    [InlineData(@"\bTask\s*\.\s*Run\b")]
    [InlineData(@"\bThread\s*\.\s*Sleep\b")]
    [InlineData(@"\bDateTime(Offset)?\s*\.\s*(Utc)?Now\b")]
    [InlineData(@"\bDateTime\s*\.\s*Today\b")]
    [InlineData(@"\bConfigureAwait\s*\(\s*false\s*\)")]
    [InlineData(@"\bGuid\s*\.\s*(NewGuid|CreateVersion7)\b")]
    public void The_library_takes_time_chance_and_threads_from_outside(string forbidden) =>
        AssertNone(SourceTree.Files("src/ConsensusStorage"), file => Find(file.Code, forbidden));

    /// <summary>Only where the parts are put together is it decided what chance is.</summary>
    [Fact]
    public void Chance_comes_from_hosting() => AssertNone(
        SourceTree.Files("src/ConsensusStorage")
            .Where(file => !file.Path.StartsWith("src/ConsensusStorage/Hosting/", StringComparison.Ordinal)),
        file => Find(file.Code, @"\bRandom\s*\.\s*Shared\b"));

    /// <summary>The application's own clock may stand still, and its services may be anything.</summary>
    [Theory]
    [InlineData(@"Service<\s*TimeProvider\s*>\s*\(\s*\)")]
    [InlineData(@"(?<!\w)Service<\s*(Random|TaskScheduler|HttpClient|\w*Client|Json\w+)\s*>\s*\(\s*\)")]
    [InlineData(@"TryAddSingleton(<\s*TimeProvider\s*>)?\s*\(\s*TimeProvider")]
    public void The_library_takes_no_clock_of_the_application(string forbidden) =>
        AssertNone(SourceTree.Files("src/ConsensusStorage"), file => Find(file.Code, forbidden));

    [Fact]
    public void Every_delay_goes_through_a_time_provider()
    {
        Assert.NotNull(BareDelay("await Task.Delay(5, token);"));
        Assert.NotNull(BareDelay("await Task.Delay(Wait(1, 2));"));
        Assert.Null(BareDelay("await Task.Delay(Wait(1, 2), _timeProvider, token);"));
        AssertNone(SourceTree.Files("src/ConsensusStorage"), file => BareDelay(file.Code));
    }

    [Fact]
    public void No_type_is_called_what_anything_could_be_called() => AssertNone(
        SourceTree.Files("src"),
        file => Find(
            file.Code,
            @"\b(class|struct|interface|record|enum|delegate)\s+(\w+\s+)*\w*(Manager|Helpers?|Utils?|Utility|Impl)\b"));

    [Theory]
    [InlineData(@"\bTask\b")]
    [InlineData(@"\bValueTask\b")]
    [InlineData(@"\bCancellationToken\b")]
    [InlineData(@"\block\s*\(")]
    [InlineData(@"\basync\b|\bawait\b")]
    [InlineData(@"\bILogger\b|\bLoggerMessage\b")]
    [InlineData(@"\bTimeProvider\b|\bStopwatch\b")]
    [InlineData(@"\bRandom\b|\bRandomNumberGenerator\b")]
    [InlineData(@"\bSystem\s*\.\s*IO\b(?!\s*\.\s*Hashing)")]
    [InlineData(@"\bSystem\s*\.\s*Threading\b")]
    public void The_cores_are_pure(string forbidden)
    {
        string[] cores = ["src/ConsensusStorage/Paxos", "src/ConsensusStorage/Raft"];
        AssertNone(cores.SelectMany(SourceTree.Files), file => Find(file.Code, forbidden));
    }

    private static IEnumerable<SourceFile> All() => SourceTree.Files("src").Concat(SourceTree.Files("tests"));

    private static void AssertNone(IEnumerable<SourceFile> files, Func<SourceFile, string?> complaint) =>
        Assert.Empty(
            from file in files
            let found = complaint(file)
            where found is not null
            select $"{file}: {found}");

    private static string? Find(string code, string pattern)
    {
        var match = Regex.Match(code, pattern);
        return match.Success ? $"line {1 + code.AsSpan(0, match.Index).Count('\n')}: {match.Value}" : null;
    }

    /// <summary>The first delay whose arguments name no time provider.</summary>
    private static string? BareDelay(string code)
    {
        foreach (Match call in Regex.Matches(code, @"\bTask\s*\.\s*Delay\s*\("))
        {
            var depth = 1;
            var end = call.Index + call.Length;
            for (; end < code.Length && depth > 0; end++)
            {
                depth += code[end] switch { '(' => 1, ')' => -1, _ => 0 };
            }

            var arguments = code[(call.Index + call.Length)..end];
            if (!Regex.IsMatch(arguments, @"(?i)\b_?(\w*timeProvider|clock|time)\b"))
            {
                return $"line {1 + code.AsSpan(0, call.Index).Count('\n')}: {call.Value}{arguments}";
            }
        }

        return null;
    }
}
