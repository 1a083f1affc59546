using Orleans.Consensus.Crashes.Runs;

namespace Orleans.Consensus.Crashes.Faults;

/// <summary>
/// A kind of fault, from its beginning until everything is well again. It harms a minority unless it says all.
/// </summary>
internal abstract class Fault
{
    public static readonly IReadOnlyList<Fault> All =
    [
        new Kill(), new KillAll(), new KillStarting(), new StandStill(), new Stop(), new Roll(),
        new LostDirectory(), new Cut(), new KilledAccount(),
    ];

    /// <summary>One word.</summary>
    public abstract string Name { get; }

    /// <summary>What it does, for people.</summary>
    public abstract string Purpose { get; }

    /// <summary>Whether there can be such a fault in a run.</summary>
    public virtual bool IsFor(CrashOptions options) => true;

    /// <summary>Lets it strike, and puts things right again; tells what happened.</summary>
    /// <exception cref="ViolationException">The bank did what it must not do.</exception>
    /// <exception cref="TimeoutException">The bank did not do what it should.</exception>
    public abstract Task<string> StrikeAsync(Scene scene);
}
