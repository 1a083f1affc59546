using Orleans.Consensus.Mutants.Hunters;

namespace Orleans.Consensus.Mutants;

/// <summary>Lets all hunters loose on one mutant after the other, and says who caught it.</summary>
internal sealed class MutantRun(MutantOptions options, TextWriter output)
{
    public static readonly IReadOnlyList<string> HunterNames =
        [FastTests.HunterName, ExplorerHunter.HunterName, SimulatorHunter.HunterName];

    private const int FewestBySimulation = 15;

    private readonly IHunter[] _hunters =
    [
        .. new IHunter[]
        {
            new FastTests(options.FastBudget),
            new ExplorerHunter(options.ExplorerBudget),
            new SimulatorHunter(options.SimulatorBudget),
        }.Where(hunter => options.Hunters.Contains(hunter.Name)),
    ];

    /// <returns>Whether every mutant was made and caught, and nothing else went wrong.</returns>
    public async Task<bool> RunAsync(IReadOnlyList<Mutant> mutants, CancellationToken cancellationToken)
    {
        using var copy = await WorkingCopy.CreateAsync(options.Root, cancellationToken);
        if (!options.SkipBaseline && !await IsCleanAsync(copy, cancellationToken))
        {
            output.WriteLine("Without any patch the hunters have to find nothing; no mutant was tried.");
            return false;
        }

        var outcomes = new List<MutantOutcome>();
        foreach (var mutant in mutants)
        {
            output.WriteLine($"[{outcomes.Count + 1}/{mutants.Count}] {mutant.Name} ({mutant.Rule}): {mutant.Bug}");
            var outcome = await TryAsync(copy, mutant, cancellationToken);
            outcomes.Add(outcome);
            if (!outcome.IsGood)
            {
                output.WriteLine(outcome.Problem ?? (outcome.Caught ? "A hunter did not work." : "IT SURVIVES."));
                if (!options.KeepGoing)
                {
                    break;
                }
            }
        }

        var report = MutantReport.Write(outcomes, mutants.Count);
        output.WriteLine();
        output.WriteLine(report);
        if (options.Report is not null)
        {
            await File.WriteAllTextAsync(options.Report, report, cancellationToken);
        }

        return outcomes.Count == mutants.Count && outcomes.TrueForAll(outcome => outcome.IsGood) && IsProof(outcomes);
    }

    /// <summary>
    /// Whether, of all mutants, the explorer and the simulator catch enough without the tests: they are no ornament.
    /// </summary>
    private bool IsProof(List<MutantOutcome> outcomes)
    {
        var bySimulation = outcomes.Count(outcome => outcome.CaughtBySimulation);
        if (!options.IsComplete || bySimulation >= FewestBySimulation)
        {
            return true;
        }

        output.WriteLine($"Explorer and simulator caught {bySimulation}; it has to be {FewestBySimulation}.");
        return false;
    }

    private async Task<bool> IsCleanAsync(WorkingCopy copy, CancellationToken cancellationToken)
    {
        output.WriteLine("Without any patch:");
        await copy.BecomeOriginalAsync(cancellationToken);
        var clean = true;
        foreach (var hunter in _hunters)
        {
            var verdict = await hunter.HuntAsync(copy, mutant: null, cancellationToken);
            Print(hunter, verdict);
            clean &= verdict.Finding == Finding.Clean;
        }

        return clean;
    }

    private async Task<MutantOutcome> TryAsync(
        WorkingCopy copy, Mutant mutant, CancellationToken cancellationToken)
    {
        try
        {
            await copy.BecomeAsync(mutant, cancellationToken);
        }
        catch (MutantException exception)
        {
            return new(mutant, exception.Message, []);
        }

        var verdicts = new List<(string, Verdict)>();
        foreach (var hunter in _hunters.Where(hunter => hunter.Reaches(mutant)))
        {
            var verdict = await hunter.HuntAsync(copy, mutant, cancellationToken);

            // Only the baseline tells that the same work comes to an end without the bug.
            if (verdict.Finding == Finding.TimedOut && hunter.CatchesByTimeOut && !options.SkipBaseline)
            {
                verdict = verdict with { Finding = Finding.Caught };
            }

            Print(hunter, verdict);
            verdicts.Add((hunter.Name, verdict));
        }

        return new(mutant, null, verdicts);
    }

    private void Print(IHunter hunter, Verdict verdict) => output.WriteLine(
        $"    {hunter.Name,-9} {verdict.Finding,-8} {verdict.Elapsed.TotalSeconds,6:F1} s  {verdict.What}");
}
