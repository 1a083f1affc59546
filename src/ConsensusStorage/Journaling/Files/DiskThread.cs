namespace Orleans.Consensus.Journaling.Files;

/// <summary>
/// A thread that does blocking disk work in order. A flush blocks for as long as the disk takes; on the thread pool
/// of a small machine a few of them would stop everything else. Thread rule: any.
/// </summary>
internal sealed class DiskThread : IDisposable
{
    private readonly Lock _gate = new();

    // It spins for some microseconds before it sleeps: measured faster than a monitor, at no more processor time.
    private readonly SemaphoreSlim _signal = new(0);
    private readonly Queue<Action> _work = new();
    private readonly string _name;
    private bool _started;
    private bool _closed;

    public DiskThread(string name)
    {
        _name = name;
    }

    /// <summary>
    /// Runs <paramref name="work"/> after all that came before. Whoever awaits the result without a scheduler of its
    /// own goes on on this thread, which saves waking another one for each flush: it must not block.
    /// </summary>
    /// <exception cref="IOException">The thread was closed.</exception>
    public ValueTask<T> RunAsync<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>();
        Enqueue(() =>
        {
            T result;
            try
            {
                result = work();
            }
            catch (Exception exception)
            {
                done.SetException(exception);
                return;
            }

            done.SetResult(result);
        });
        return new(done.Task);
    }

    /// <inheritdoc cref="RunAsync{T}"/>
    public async ValueTask RunAsync(Action work) =>
        await RunAsync(() =>
        {
            work();
            return true;
        });

    /// <summary>Does what is queued, then ends. Does not: wait for that.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _closed = true;
        }

        _signal.Release();
    }

    private void Enqueue(Action work)
    {
        lock (_gate)
        {
            if (_closed)
            {
                throw new IOException($"The disk thread {_name} is closed.");
            }

            _work.Enqueue(work);
            if (!_started)
            {
                _started = true;
                new Thread(Run) { IsBackground = true, Name = _name }.Start();
            }
        }

        _signal.Release();
    }

    private void Run()
    {
        while (true)
        {
            _signal.Wait();
            Action? work;
            lock (_gate)
            {
                if (!_work.TryDequeue(out work) && _closed)
                {
                    return;
                }
            }

            work?.Invoke();
        }
    }
}
