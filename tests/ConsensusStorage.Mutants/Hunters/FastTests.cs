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

    public async Task<Verdict> HuntAsync(WorkingCopy copy, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        string[] arguments =
        [
            copy.Assembly(Project), "-noLogo", "-noColor", "-stopOnFail",
            "-namespace-", "Orleans.Consensus.Tests.Architecture",
            "-namespace-", "Orleans.Consensus.Tests.Mutants",
        ];
        var ended = await new ChildProcess("dotnet", arguments, copy.Path, budget)
        {
            // Others of its tests may hang: the first failure is enough.
            Until = line => line.EndsWith(Failed, StringComparison.Ordinal),
        }.RunAsync(cancellationToken);
        return ended switch
        {
            { Found: { } failure } => new(Finding.Caught, failure[..^Failed.Length].Trim(), clock.Elapsed),
            { TimedOut: true } => new(Finding.TimedOut, $"not at an end after {budget}", clock.Elapsed),
            { ExitCode: 0 } => new(Finding.Clean, ended.LastLine, clock.Elapsed),
            _ => new(Finding.Failed, $"exit code {ended.ExitCode}: {ended.LastLine}", clock.Elapsed),
        };
    }
}
