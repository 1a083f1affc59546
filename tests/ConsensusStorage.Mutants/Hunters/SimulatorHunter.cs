using System.Diagnostics;
using System.Globalization;

namespace Orleans.Consensus.Mutants.Hunters;

/// <summary>
/// The simulator: whole clusters under faults, one seed after the other. Half of the budget goes to the default
/// profile, the rest to the others; all of it to the one that runs what the mutant changes, if there is only one. A
/// seed that hangs is the simulator's to notice, so not to end in time says nothing.
/// </summary>
internal sealed class SimulatorHunter(TimeSpan budget) : IHunter
{
    public const string HunterName = "simulator";

    /// <summary>More than anybody has time for: the minutes end the run.</summary>
    private const string Seeds = "1000000";

    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);
    private static readonly string[] Others =
        ["network", "storage", "crash", "clocks", "blobs", "takeover", "shared", "membership", "reminders"];

    public string Name => HunterName;

    public bool CatchesByTimeOut => false;

    public async Task<Verdict> HuntAsync(
        WorkingCopy copy, Mutant? mutant, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        if (mutant is not null && OnlyProfileOf(mutant) is { } only)
        {
            return await HuntAsync(copy, only, budget, clock, cancellationToken);
        }

        var verdict = await HuntAsync(copy, "default", budget / 2, clock, cancellationToken);
        foreach (var profile in Others)
        {
            if (verdict.Finding != Finding.Clean)
            {
                break;
            }

            verdict = await HuntAsync(copy, profile, budget / 2 / Others.Length, clock, cancellationToken);
        }

        return verdict;
    }

    private static string? OnlyProfileOf(Mutant mutant) => mutant.Sources.Select(ProfileOf).Distinct().ToList() switch
    {
        [var only] => only,
        _ => null,
    };

    private static string? ProfileOf(string source) => source.Split('/') switch
    {
        ["src", "ConsensusStorage", "Clustering", ..] => "membership",
        ["src", "ConsensusStorage", "Reminders", ..] => "reminders",
        _ => null,
    };

    private static async Task<Verdict> HuntAsync(
        WorkingCopy copy, string profile, TimeSpan share, Stopwatch clock, CancellationToken cancellationToken)
    {
        var minutes = share.TotalMinutes.ToString("0.####", CultureInfo.InvariantCulture);
        var (finding, what) = await SimulationConsole.RunAsync(
            copy, ["--seeds", Seeds, "--profile", profile, "--minutes", minutes], share + Grace, cancellationToken);
        return new(finding, $"{profile}: {what}", clock.Elapsed);
    }
}
