namespace Orleans.Consensus.Mutants.Hunters;

/// <summary>The console of the simulation: exit code 0 is clean, 1 is a violation found.</summary>
internal static class SimulationConsole
{
    private const string Project = "ConsensusStorage.Simulation";
    private const int Clean = 0;
    private const int Violation = 1;

    /// <summary>No violation, but some kind of fault hardly struck.</summary>
    private const int TooMild = 5;
    private const int MostColumns = 160;

    public static async Task<(Finding Finding, string What)> RunAsync(
        WorkingCopy copy, string[] arguments, TimeSpan limit, CancellationToken cancellationToken)
    {
        var ended = await new ChildProcess("dotnet", [copy.Assembly(Project), .. arguments], copy.Path, limit)
        {
            // What follows is the search for a smaller seed that fails, which may take minutes.
            Until = IsFailedSeed,
        }.RunAsync(cancellationToken);
        return ended switch
        {
            { Found: { } failure } => (Finding.Caught, Shortened(failure)),
            { TimedOut: true } => (Finding.TimedOut, $"not at an end after {limit}"),
            { ExitCode: Violation } => (Finding.Caught, Shortened(Telling(ended))),
            { ExitCode: Clean or TooMild } => (Finding.Clean, Shortened(ended.LastLine)),
            _ => (Finding.Failed, $"exit code {ended.ExitCode}: {Shortened(ended.LastLine)}"),
        };
    }

    /// <summary>The line that names the seed or the world, else the last one.</summary>
    private static string Telling(ChildResult ended) =>
        ended.Lines.FirstOrDefault(IsFailedSeed)
        ?? ended.Lines.FirstOrDefault(line => Has(line, "violat"))
        ?? ended.LastLine;

    private static bool IsFailedSeed(string line) =>
        line.StartsWith("Profile ", StringComparison.Ordinal) && Has(line, ", seed ") && Has(line, " failed: ");

    private static bool Has(string line, string word) => line.Contains(word, StringComparison.OrdinalIgnoreCase);

    private static string Shortened(string line) =>
        line.Trim() is { Length: > MostColumns } text ? text[..MostColumns] : line.Trim();
}
