namespace Orleans.Consensus.Crashes.Runs;

/// <summary>How the console ends, as the simulator does: only a violation is 1.</summary>
internal static class ExitCode
{
    public const int Clean = 0;
    public const int Violated = 1;
    public const int Misused = 2;

    /// <summary>The program itself failed, or what it needs is not there; it says nothing about the bank.</summary>
    public const int Broken = 3;

    /// <summary>It was interrupted, and had found nothing so far.</summary>
    public const int Unfinished = 4;
}
