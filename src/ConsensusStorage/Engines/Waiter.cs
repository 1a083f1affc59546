namespace Orleans.Consensus.Engines;

/// <summary>
/// Waits once for a signal, a time-out or a cancellation, whichever is first. Thread-safe; signalling runs nobody
/// else's code. Unlike <see cref="Task.WaitAsync(TimeSpan, TimeProvider, CancellationToken)"/> on a source of
/// asynchronous continuations it never leaves the awaiting scheduler for the thread pool, which a simulation needs.
/// </summary>
internal sealed class Waiter : IDisposable
{
    private readonly TaskCompletionSource<bool> _source = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ITimer? _timer;
    private readonly CancellationTokenRegistration _registration;

    public Waiter(TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        if (timeout != Timeout.InfiniteTimeSpan)
        {
            _timer = time.CreateTimer(GiveUp, _source, timeout, Timeout.InfiniteTimeSpan);
        }

        _registration = cancellationToken.UnsafeRegister(GiveUp, _source);
    }

    /// <summary>True once signalled, false if time ran out or the wait was cancelled before.</summary>
    public Task<bool> Task => _source.Task;

    public void Signal() => _source.TrySetResult(true);

    public void Dispose()
    {
        _timer?.Dispose();
        _registration.Dispose();
    }

    private static void GiveUp(object? source) => ((TaskCompletionSource<bool>)source!).TrySetResult(false);
}

/// <summary>Something that happens again and again, for many to wait for. Thread-safe.</summary>
internal sealed class Pulse
{
    private readonly Lock _lock = new();
    private List<Waiter> _waiters = [];

    /// <summary>
    /// Starts to wait for the next <see cref="Beat"/>. Look at the condition after this call and before awaiting it,
    /// so that a beat in between is not missed. The caller disposes the waiter.
    /// </summary>
    public Waiter Next(TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        var waiter = new Waiter(timeout, time, cancellationToken);
        lock (_lock)
        {
            _waiters.RemoveAll(gone => gone.Task.IsCompleted);
            _waiters.Add(waiter);
        }

        return waiter;
    }

    public void Beat()
    {
        List<Waiter> waiters;
        lock (_lock)
        {
            waiters = _waiters;
            _waiters = [];
        }

        foreach (var waiter in waiters)
        {
            waiter.Signal();
        }
    }
}
