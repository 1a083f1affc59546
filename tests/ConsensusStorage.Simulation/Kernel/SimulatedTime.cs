namespace Orleans.Consensus.Simulation.Kernel;

/// <summary>
/// A clock that stands still until it is told to go on, and then jumps to the next timer: simulated hours cost nothing.
/// Timers that are due at one moment fire in the order they were set. Not thread-safe.
/// </summary>
internal sealed class SimulatedTime : TimeProvider
{
    private static readonly DateTimeOffset Beginning = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly PriorityQueue<(Timer Timer, long Setting), (long Due, long Order)> _due = new();
    private long _ticks;
    private long _settings;

    /// <summary>Timers that are set; each belongs to somebody who still waits.</summary>
    public int Pending { get; private set; }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _ticks;

    public override DateTimeOffset GetUtcNow() => Beginning.AddTicks(_ticks);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Waits to the tick, where <see cref="Task.Delay(TimeSpan, TimeProvider)"/> knows milliseconds.</summary>
    public Task Pass(TimeSpan time)
    {
        if (time <= TimeSpan.Zero)
        {
            return Task.CompletedTask;
        }

        var over = new TaskCompletionSource();
        CreateTimer(static over => ((TaskCompletionSource)over!).SetResult(), over, time, Timeout.InfiniteTimeSpan);
        return over.Task;
    }

    /// <summary>Jumps to the next timer and fires it; false if there is none up to <paramref name="limit"/>.</summary>
    public bool TryFireNext(DateTimeOffset limit)
    {
        while (_due.TryPeek(out var next, out var at))
        {
            if (next.Timer.Setting != next.Setting)
            {
                _due.Dequeue();
            }
            else if (Beginning.AddTicks(at.Due) > limit)
            {
                return false;
            }
            else
            {
                _due.Dequeue();
                _ticks = Math.Max(_ticks, at.Due);
                next.Timer.Fire();
                return true;
            }
        }

        return false;
    }

    private sealed class Timer(SimulatedTime time, TimerCallback callback, object? state) : ITimer
    {
        private TimeSpan _period;

        /// <summary>Which call of <see cref="Change"/> is in force; 0 for none.</summary>
        public long Setting { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Clear();
            _period = period;
            if (dueTime != Timeout.InfiniteTimeSpan)
            {
                Setting = ++time._settings;
                time.Pending++;
                time._due.Enqueue((this, Setting), (time._ticks + dueTime.Ticks, Setting));
            }

            return true;
        }

        public void Fire()
        {
            Change(_period > TimeSpan.Zero ? _period : Timeout.InfiniteTimeSpan, _period);
            callback(state);
        }

        public void Dispose() => Clear();

        public ValueTask DisposeAsync()
        {
            Clear();
            return ValueTask.CompletedTask;
        }

        private void Clear()
        {
            time.Pending -= Setting == 0 ? 0 : 1;
            Setting = 0;
        }
    }
}
