namespace Orleans.Consensus.Mutants.Hunters;

/// <summary>What a hunter makes of the code it was let loose on.</summary>
internal enum Finding
{
    /// <summary>It found nothing.</summary>
    Clean,

    /// <summary>It found a bug.</summary>
    Caught,

    /// <summary>It had not come to an end when its time was up.</summary>
    TimedOut,

    /// <summary>It did not work: a crash, or an exit code that nobody knows.</summary>
    Failed,
}

/// <summary>What a hunter found, and after how long.</summary>
/// <param name="What">The test, the world or the seed; or why there is no verdict.</param>
internal sealed record Verdict(Finding Finding, string What, TimeSpan Elapsed);

/// <summary>Looks for a bug in a built working copy within a budget of time.</summary>
internal interface IHunter
{
    string Name { get; }

    /// <summary>
    /// Not to end in time is a bug found. Only where the same work is known to end in time without the bug.
    /// </summary>
    bool CatchesByTimeOut { get; }

    /// <summary>Whether any of the code that the mutant changes runs in this hunt.</summary>
    bool Reaches(Mutant mutant) => true;

    /// <param name="mutant">What is in the copy; null for the code as it is.</param>
    Task<Verdict> HuntAsync(WorkingCopy copy, Mutant? mutant, CancellationToken cancellationToken);
}
