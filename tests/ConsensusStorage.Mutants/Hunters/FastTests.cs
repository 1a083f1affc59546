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
        var folders = (mutant?.Sources ?? []).Select(FolderOf).OfType<string>().Distinct().ToList();
        if (folders.Count > 0)
        {
            var near = await RunAsync(
                copy, [.. folders.SelectMany(NamespacesOf)], budget, clock, cancellationToken);
            if (near.Finding is Finding.Caught or Finding.TimedOut)
            {
                return near;
            }
        }

        return await RunAsync(
            copy,
            [
                "-namespace-", "Orleans.Consensus.Tests.Architecture",
                "-namespace-", "Orleans.Consensus.Tests.Mutants",
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

    /// <summary>The first folder below the library's, or null for what lies in it.</summary>
    private static string? FolderOf(string source)
    {
        var parts = source.Split('/');
        return parts is ["src", "ConsensusStorage", var folder, _, ..] ? folder : null;
    }

    private static IEnumerable<string> NamespacesOf(string folder) =>
        ["-namespace", $"Orleans.Consensus.Tests.{folder}", "-namespace", $"Orleans.Consensus.Tests.{folder}.*"];
}
