namespace Orleans.Consensus.Simulation.Scenarios;

/// <summary>What can go wrong. Any number of them at a time.</summary>
internal enum FaultKind
{
    /// <summary>Messages or their answers are lost, with or without a word.</summary>
    Loss,

    /// <summary>Messages arrive twice.</summary>
    Duplication,

    /// <summary>A copy of a message arrives long after it was answered, behind younger ones.</summary>
    Reordering,

    /// <summary>Messages take up to a hundred times as long.</summary>
    Delay,

    /// <summary>Nothing gets from one silo to some others; the way back works.</summary>
    OneWayCut,

    /// <summary>One silo, or several, can't speak with the rest.</summary>
    Partition,

    /// <summary>A partition that comes and goes.</summary>
    Flapping,

    /// <summary>Power fails at any await: what was not flushed is lost in part or whole.</summary>
    Crash,

    /// <summary>Power fails in the middle of a write to the disk.</summary>
    CrashInWrite,

    /// <summary>The process ends at any await; the machine and its disk go on.</summary>
    Kill,

    /// <summary>The process stops in order and starts again.</summary>
    Restart,

    /// <summary>The process stands still, perhaps until others declare it dead, and goes on.</summary>
    Pause,

    /// <summary>Silos see too few or too many others, each in its own way.</summary>
    WrongView,

    /// <summary>A silo's clock jumps.</summary>
    ClockJump,

    /// <summary>A silo's clock runs too fast or too slow.</summary>
    ClockDrift,

    /// <summary>Every operation of a disk takes long.</summary>
    SlowDisk,

    /// <summary>Operations of a disk fail; a write that fails has written a part.</summary>
    FailingDisk,

    /// <summary>Only flushes fail; what they should have flushed can be read but may be lost.</summary>
    FailingFlush,

    /// <summary>No room for anything that is not there yet.</summary>
    FullDisk,

    /// <summary>A bit of a file flips. Its replica counts as lost.</summary>
    BitFlip,

    /// <summary>A silo comes back with an empty disk. Its replica counts as lost.</summary>
    WipedDisk,

    /// <summary>Silos change their minds about who is there, again and again.</summary>
    FlappingViews,

    /// <summary>A process stands still, is declared dead, and wakes up without knowing.</summary>
    Zombie,

    /// <summary>A silo hands over what it hosts, leaves, and comes back later.</summary>
    Leave,

    /// <summary>Nothing gets to the storage account of a replica.</summary>
    AccountDown,

    /// <summary>Nobody has any rights to an account.</summary>
    NoRights,

    /// <summary>One silo can't reach one account, or none; or it hears no answers from there.</summary>
    CutOff,

    /// <summary>An account takes long for everything.</summary>
    SlowAccount,

    /// <summary>An account puts requests off.</summary>
    Throttling,

    /// <summary>Requests to an account are lost.</summary>
    LostRequests,

    /// <summary>Appends land, and nobody is told.</summary>
    UnansweredAppends,

    /// <summary>Appends land after their callers have given up, if their place is still free.</summary>
    LateAppends,

    /// <summary>All that was in an account is gone. Its replica counts as lost.</summary>
    LostAccount,

    /// <summary>A membership document is put back as it once was, and later taken away. It counts as lost.</summary>
    OlderCopy,

    /// <summary>A file server, or all of them at once, loses its power and with it all that was not flushed.</summary>
    ServerCrash,

    /// <summary>A directory of documents can't be flushed: what was written can be seen, but may be lost.</summary>
    LostFlushes,

    /// <summary>Power fails in a place of documents: what was not flushed is lost, or not.</summary>
    PlacePower,
}

/// <summary>Which kinds go with which logs.</summary>
internal static class FaultKinds
{
    /// <summary>Whether a kind makes sense where replicas float, or where each has a disk.</summary>
    /// <param name="shares">Whether they float over shared directories.</param>
    public static bool Fits(this FaultKind kind, bool floats, bool shares = false) => kind switch
    {
        FaultKind.ServerCrash => shares,
        FaultKind.CrashInWrite or FaultKind.SlowDisk or FaultKind.FailingDisk or FaultKind.FailingFlush
            or FaultKind.FullDisk when shares => true,
        FaultKind.CrashInWrite or FaultKind.SlowDisk or FaultKind.FailingDisk or FaultKind.FailingFlush
            or FaultKind.FullDisk or FaultKind.BitFlip or FaultKind.WipedDisk => !floats,
        >= FaultKind.AccountDown when shares => false,
        >= FaultKind.FlappingViews => floats,
        _ => true,
    };

    /// <summary>Whether it strikes membership documents and nothing else.</summary>
    public static bool IsOfDocuments(this FaultKind kind) =>
        kind is FaultKind.OlderCopy or FaultKind.LostFlushes or FaultKind.PlacePower;

    /// <summary>Whether it is about storage accounts.</summary>
    public static bool IsOfAccounts(this FaultKind kind) =>
        kind is >= FaultKind.AccountDown and not FaultKind.ServerCrash;
}

/// <summary>One misfortune as it was drawn: data, so that a run can be repeated without it.</summary>
/// <param name="Number">Its place in the scenario.</param>
/// <param name="At">When, after the load has begun.</param>
/// <param name="Lasts">For how long.</param>
/// <param name="Silo">Whom it strikes.</param>
/// <param name="Seed">Where its details come from.</param>
internal sealed record PlannedFault(
    int Number, FaultKind Kind, TimeSpan At, TimeSpan Lasts, int Silo, int Seed)
{
    public override string ToString() =>
        $"at {At.TotalMilliseconds:0} ms for {Lasts.TotalMilliseconds:0} ms: {Kind} of silo {Silo}";
}
