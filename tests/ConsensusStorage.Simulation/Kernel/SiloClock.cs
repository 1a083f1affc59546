namespace Orleans.Consensus.Simulation.Kernel;

/// <summary>
/// A machine's wall clock: off by <see cref="Offset"/>, which may jump, and which grows while it drifts.
/// </summary>
internal sealed class SiloClock(TimeProvider time)
{
    private DateTimeOffset _since;
    private TimeSpan _offset;
    private double _drift;

    public TimeSpan Offset
    {
        get => _offset + ((time.GetUtcNow() - _since) * _drift);
        set => (_offset, _since) = (value, time.GetUtcNow());
    }

    /// <summary>Seconds that it gains in each second.</summary>
    public double Drift
    {
        get => _drift;
        set => (_offset, _since, _drift) = (Offset, time.GetUtcNow(), value);
    }

    public DateTimeOffset Now => time.GetUtcNow() + Offset;
}

/// <summary>Time as a process sees it: its machine's clock, and timers that fire only while it runs.</summary>
internal sealed class ProcessTime(TimeProvider time, SiloClock clock, SimulatedProcess process) : TimeProvider
{
    public override long TimestampFrequency => time.TimestampFrequency;

    public override long GetTimestamp() => time.GetTimestamp();

    public override DateTimeOffset GetUtcNow() => clock.Now;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        time.CreateTimer(_ => process.Run(callback, state), null, dueTime, period);
}
