namespace Orleans.Consensus.Engines;

/// <summary>
/// Waits once for a signal, a time-out or a cancellation, whichever is first. Thread-safe; signalling runs nobody
/// else's code. Unlike <see cref="Task.WaitAsync(TimeSpan, TimeProvider, CancellationToken)"/> on a source of
/// asynchronous continuations it never leaves the awaiting scheduler for the thread pool, which a simulation needs.
/// </summary>
internal sealed class Waiter : IDisposable
{
    private readonly TaskCompletionSource<bool> _source = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TimeProvider _time;
    private readonly TimeSpan _timeout;
    private readonly long _started;
    private readonly ITimer? _timer;
    private readonly CancellationTokenRegistration _registration;

    public Waiter(TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        (_time, _timeout, _started) = (time, timeout, time.GetTimestamp());
        if (timeout != Timeout.InfiniteTimeSpan)
        {
            // Timers cut off parts of a millisecond: a shorter wait would be none, and whoever tries again would spin.
            var whole = TimeSpan.FromMilliseconds(Math.Ceiling(timeout.TotalMilliseconds));
            _timer = time.CreateTimer(GiveUp, _source, whole, Timeout.InfiniteTimeSpan);
        }

        _registration = cancellationToken.UnsafeRegister(GiveUp, _source);
    }

    /// <summary>True once signalled, false if time ran out or the wait was cancelled before.</summary>
    public Task<bool> Task => _source.Task;

    public void Signal() => TrySignal();

    /// <returns>False if it comes too late, or not for the first time.</returns>
    public bool TrySignal() => _source.TrySetResult(true);

    /// <summary>
    /// Waits for <paramref name="most"/> from now at most, if it has a time-out. Does not: wait longer than it would
    /// have. Not to be called after it was disposed of.
    /// </summary>
    public void Hurry(TimeSpan most)
    {
        var left = _timeout - _time.GetElapsedTime(_started);
        if (most < left)
        {
            _timer?.Change(most, Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose()
    {
        _timer?.Dispose();
        _registration.Dispose();
    }

    private static void GiveUp(object? source) => ((TaskCompletionSource<bool>)source!).TrySetResult(false);
}
