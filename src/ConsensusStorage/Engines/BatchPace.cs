namespace Orleans.Consensus.Engines;

/// <summary>
/// When the next batch begins. Where appends are slow, it waits after one for as many requests as that one had, but no
/// longer than half of it took, nor <see cref="LongestPause"/>: who was just answered is about to ask again. Without,
/// callers part into groups that wait for one another's appends, each group's batch a part of what it could be.
/// <para>Thread rule: <see cref="Arrived"/> on any thread, all else on that of the batches.</para>
/// </summary>
internal sealed class BatchPace(TimeProvider time)
{
    /// <summary>Appends that take less are not worth a pause; no timer is that exact.</summary>
    public static readonly TimeSpan SlowAppend = TimeSpan.FromMilliseconds(2);

    public static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(5);

    private TimeSpan _pause;
    private long _appended;
    private int _goal;
    private int _waiting;
    private volatile Waiter? _waiter;

    /// <summary>Requests have come.</summary>
    public void Arrived(int requests)
    {
        if (Interlocked.Add(ref _waiting, requests) >= Volatile.Read(ref _goal))
        {
            _waiter?.Signal();
        }
    }

    /// <summary>Requests that had come are in a batch now.</summary>
    public void Taken(int requests) => Interlocked.Add(ref _waiting, -requests);

    /// <summary>A batch of so many requests was appended, and is about to be answered.</summary>
    public void Appended(int requests, TimeSpan took)
    {
        Volatile.Write(ref _goal, requests);
        _appended = time.GetTimestamp();
        _pause = took < SlowAppend ? TimeSpan.Zero : took < 2 * LongestPause ? took / 2 : LongestPause;
    }

    /// <summary>Waits until the next batch should begin.</summary>
    public async ValueTask WaitAsync()
    {
        var left = _pause > TimeSpan.Zero ? _pause - time.GetElapsedTime(_appended) : TimeSpan.Zero;
        if (left <= TimeSpan.Zero)
        {
            return;
        }

        using var waiter = new Waiter(left, time, CancellationToken.None);
        _waiter = waiter;

        // Whoever arrives from here on sees the waiter; who came before is counted here.
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _waiting) < _goal)
        {
            await waiter.Task;
        }

        _waiter = null;
    }
}
