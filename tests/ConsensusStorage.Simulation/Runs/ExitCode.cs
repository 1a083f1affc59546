namespace Orleans.Consensus.Simulation.Runs;

/// <summary>
/// How the console ends. Only a violation is 1: whoever hunts for bugs must not take a broken simulator for one.
/// </summary>
internal static class ExitCode
{
    public const int Clean = 0;
    public const int Violated = 1;
    public const int Misused = 2;

    /// <summary>The simulator itself failed; it says nothing about the code under test.</summary>
    public const int Broken = 3;

    /// <summary>No violation so far, but not all was seen, and nobody had asked for less.</summary>
    public const int Unfinished = 4;

    /// <summary>No violation, but too little happened: the run does not show what its profile promises.</summary>
    public const int TooMild = 5;
}
