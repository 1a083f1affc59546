using Orleans.Consensus.Mutants.Hunters;

namespace Orleans.Consensus.Mutants;

/// <summary>What became of one mutant.</summary>
/// <param name="Problem">Why it could not be made, or null.</param>
/// <param name="Verdicts">By the names of the hunters that were sent out.</param>
internal sealed record MutantOutcome(
    Mutant Mutant, string? Problem, IReadOnlyList<(string Hunter, Verdict Verdict)> Verdicts)
{
    public bool Caught => CaughtBy(_ => true);

    /// <summary>No hunter but the explorer and the simulator was needed.</summary>
    public bool CaughtBySimulation => CaughtBy(hunter => hunter != FastTests.HunterName);

    /// <summary>Something did not work, so that this outcome says nothing.</summary>
    public bool Failed => Problem is not null || Verdicts.Any(one => one.Verdict.Finding == Finding.Failed);

    /// <summary>What the run is for.</summary>
    public bool IsGood => Caught && !Failed;

    public bool CaughtBy(Func<string, bool> hunter) =>
        Verdicts.Any(one => hunter(one.Hunter) && one.Verdict.Finding == Finding.Caught);
}
