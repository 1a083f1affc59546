namespace Orleans.Consensus.Mutants;

/// <summary>One run, as asked for on the command line.</summary>
internal sealed record MutantOptions
{
    /// <summary>Root of the checkout that the mutants are made of. Nothing is written there.</summary>
    public required string Root { get; init; }

    /// <summary>Names; empty for all.</summary>
    public required IReadOnlyList<string> Only { get; init; }

    /// <summary>How many mutants of this turn are tried; 0 for all.</summary>
    public required int Rotate { get; init; }

    /// <summary>Names of the hunters that are sent out.</summary>
    public required IReadOnlyList<string> Hunters { get; init; }

    public required TimeSpan FastBudget { get; init; }

    public required TimeSpan ExplorerBudget { get; init; }

    public required TimeSpan SimulatorBudget { get; init; }

    /// <summary>Goes on to the next mutant after one that survived or could not be tried.</summary>
    public required bool KeepGoing { get; init; }

    /// <summary>Does not look whether the hunters find nothing in the code as it is.</summary>
    public required bool SkipBaseline { get; init; }

    /// <summary>The file for the table, or null.</summary>
    public required string? Report { get; init; }

    /// <summary>All mutants against all hunters.</summary>
    public bool IsComplete => Only.Count == 0 && Rotate == 0 && MutantRun.HunterNames.All(Hunters.Contains);

    /// <summary>What can't be run, in words.</summary>
    public IEnumerable<string> Problems()
    {
        if (Rotate < 0)
        {
            yield return "--rotate takes a number of mutants.";
        }

        if (Rotate > 0 && Only.Count > 0)
        {
            yield return "--rotate and --only exclude one another.";
        }

        foreach (var unknown in Hunters.Except(MutantRun.HunterNames))
        {
            yield return $"There is no hunter '{unknown}'; known are {string.Join(", ", MutantRun.HunterNames)}.";
        }

        if (FastBudget <= TimeSpan.Zero || ExplorerBudget <= TimeSpan.Zero || SimulatorBudget <= TimeSpan.Zero)
        {
            yield return "Budgets are more than 0.";
        }
    }
}
