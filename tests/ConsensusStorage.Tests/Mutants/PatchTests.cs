using System.Diagnostics;
using System.Text.RegularExpressions;
using Orleans.Consensus.Tests.Architecture;

namespace Orleans.Consensus.Tests.Mutants;

/// <summary>
/// tests/mutants holds bugs to be planted: ConsensusStorage.Mutants plants them and looks who catches them. Here is
/// only what is cheap: that they still fit the sources and say what they break.
/// </summary>
public sealed class PatchTests
{
    private const int Fewest = 30;

    private static readonly string[] Covered =
    [
        "S1", "S2", "S3", "S5", "S6", "S7", "S8", "S8b", "S9", "S10", "S11", "S12", "S13", "S14", "S17", "S18", "S19",
        "S20", "S21", "S22",
    ];

    private static string Folder => Path.Combine(SourceTree.Root, "tests", "mutants");

    private static IEnumerable<string> Names =>
        Directory.EnumerateFiles(Folder).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal);

    public static TheoryData<string> Patches => [.. Names];

    [Fact]
    public void There_are_at_least_30_and_nothing_else()
    {
        Assert.InRange(Names.Count(), Fewest, int.MaxValue);
        Assert.All(Names, name => Assert.Matches("^[a-z0-9-]+[.]patch$", name));
    }

    [Fact]
    public void Every_rule_that_can_lose_a_write_is_broken_by_one() =>
        Assert.Empty(Covered.Except(Names.Select(name => Head(name).Rule)));

    [Theory]
    [MemberData(nameof(Patches))]
    public void It_says_which_rule_it_breaks_and_how(string name)
    {
        var (rule, bug) = Head(name);
        var rules = Regex.Matches(File.ReadAllText(Path.Combine(SourceTree.Root, "docs", "protocol.md")), @"\bS\d+b?\b")
            .Select(match => match.Value)
            .Concat(["CASPaxos §2.2", "IMembershipTable"]);
        Assert.Contains(rule, rules);
        Assert.InRange(bug.Length, 20, 120);
    }

    [Theory]
    [MemberData(nameof(Patches))]
    public void It_changes_the_shipped_code_alone(string name)
    {
        var files = File.ReadLines(Path.Combine(Folder, name))
            .Where(line => line.StartsWith("+++ ", StringComparison.Ordinal))
            .ToList();
        Assert.NotEmpty(files);
        Assert.All(files, file => Assert.Matches("^[+]{3} b/src/ConsensusStorage/.+[.]cs$", file));
    }

    [Theory]
    [MemberData(nameof(Patches))]
    public async Task It_still_applies(string name)
    {
        var start = new ProcessStartInfo("git", ["apply", "--check", Path.Combine(Folder, name)])
        {
            WorkingDirectory = SourceTree.Root,
            RedirectStandardError = true,
        };
        using var git = Process.Start(start)!;
        var errors = await git.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await git.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(git.ExitCode == 0, $"{errors}\nMake {name} anew for the code as it is now.");
    }

    private static (string Rule, string Bug) Head(string name)
    {
        var lines = File.ReadAllLines(Path.Combine(Folder, name));
        Assert.StartsWith("Rule: ", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("Bug: ", lines[1], StringComparison.Ordinal);
        return (lines[0]["Rule: ".Length..], lines[1]["Bug: ".Length..]);
    }
}
