using System.Diagnostics;

namespace Orleans.Consensus.Mutants.Hunters;

/// <summary>
/// The fast test suite up to its first failure. Without the tests that read sources, documents and these patches: they
/// would catch any change at all.
/// </summary>
internal sealed class FastTests(TimeSpan budget) : IHunter
{
    public const string HunterName = "tests";

    private const string Project = "ConsensusStorage.Tests";
    private const string Failed = " [FAIL]";

    public string Name => HunterName;

    public bool CatchesByTimeOut => true;

    /// <summary>First the tests of the folder that was changed, which most likely see it; then all.</summary>
    public async Task<Verdict> HuntAsync(WorkingCopy copy, Mutant? mutant, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        if (mutant is not null)
        {
            var near = mutant.Sources.SelectMany(NamespacesOf).Distinct();
            var verdict = await RunAsync(
                copy, [.. near.SelectMany(name => new[] { "-namespace", name })], budget, clock, cancellationToken);
            if (verdict.Finding is Finding.Caught or Finding.TimedOut)
            {
                return verdict;
            }
        }

        return await RunAsync(
            copy,
            [
                "-namespace-", "Orleans.Consensus.Tests.Architecture",
                "-namespace-", "Orleans.Consensus.Tests.Mutants",
                "-method-", "Orleans.Consensus.Tests.Simulation.BranchTests.Every_excuse_is_one_for_a_branch",
            ],
            budget - clock.Elapsed,
            clock,
            cancellationToken);
    }

    private static async Task<Verdict> RunAsync(
        WorkingCopy copy, string[] filter, TimeSpan limit, Stopwatch clock, CancellationToken cancellationToken)
    {
        string[] arguments = [copy.Assembly(Project), "-noLogo", "-noColor", "-stopOnFail", .. filter];
        var ended = await new ChildProcess("dotnet", arguments, copy.Path, limit)
        {
            // Others of its tests may hang: the first failure is enough.
            Until = line => line.EndsWith(Failed, StringComparison.Ordinal),
        }.RunAsync(cancellationToken);
        return ended switch
        {
            { Found: { } failure } => new(Finding.Caught, failure[..^Failed.Length].Trim(), clock.Elapsed),
            { TimedOut: true } => new(Finding.TimedOut, $"not at an end after {limit}", clock.Elapsed),
            { ExitCode: 0 } => new(Finding.Clean, ended.LastLine, clock.Elapsed),
            _ => new(Finding.Failed, $"exit code {ended.ExitCode}: {ended.LastLine}", clock.Elapsed),
        };
    }

    /// <summary>The tests of the first folder below the library's, or of what lies in that one.</summary>
    private static IEnumerable<string> NamespacesOf(string source)
    {
        const string all = "Orleans.Consensus.Tests";
        return source.Split('/') is ["src", "ConsensusStorage", var folder, _, ..]
            ? [$"{all}.{folder}", $"{all}.{folder}.*"]
            : [all];
    }
}
