using System.Diagnostics;

namespace Orleans.Consensus.Mutants.Hunters;

/// <summary>
/// The explorer: all reachable states of small worlds, made of the pure code alone. A mutant can make these worlds
/// larger without being wrong, so not to end in time says nothing.
/// </summary>
internal sealed class ExplorerHunter(TimeSpan budget) : IHunter
{
    public const string HunterName = "explorer";

    private const string Library = "src/ConsensusStorage/";

    public string Name => HunterName;

    public bool CatchesByTimeOut => false;

    public bool Reaches(Mutant mutant) => mutant.Sources.Any(source =>
        source.StartsWith(Library + "Paxos/", StringComparison.Ordinal)
        || source.LastIndexOf('/') == Library.Length - 1);

    public async Task<Verdict> HuntAsync(
        WorkingCopy copy, Mutant? mutant, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        var (finding, what) = await SimulationConsole.RunAsync(
            copy, ["explore", "--set", "ci"], budget, cancellationToken);
        return new(finding, what, clock.Elapsed);
    }
}
