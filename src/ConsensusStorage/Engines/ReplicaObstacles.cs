namespace Orleans.Consensus.Engines;

/// <summary>
/// What keeps a replica whose log is open from taking requests, in words that stay the same while it lasts: for its
/// silo's description. Thread-safe.
/// </summary>
internal sealed class ReplicaObstacles(TimeProvider time)
{
    /// <summary>
    /// After which an append that goes on, or refusals for want of room in the queue, count: shorter ones are a matter
    /// of course.
    /// </summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Refusals with a longer pause between them are not one trouble.</summary>
    private static readonly TimeSpan Lull = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private string? _full;
    private int _refusedBytes;
    private long? _appending;
    private long? _overloadedSince;
    private long _overloadedLast;

    /// <summary>What is in the way now, and what to do; null if nothing is.</summary>
    public string? Current
    {
        get
        {
            lock (_lock)
            {
                return _full ?? Stuck() ?? Overload();
            }
        }
    }

    /// <summary>A message was refused because too many wait.</summary>
    public void Overloaded()
    {
        lock (_lock)
        {
            if (_overloadedSince is null || time.GetElapsedTime(_overloadedLast) > Lull)
            {
                _overloadedSince = time.GetTimestamp();
            }

            _overloadedLast = time.GetTimestamp();
        }
    }

    public void AppendBegins()
    {
        lock (_lock)
        {
            _appending = time.GetTimestamp();
        }
    }

    /// <summary>An append came to its end, also to a failure.</summary>
    public void AppendEnds()
    {
        lock (_lock)
        {
            _appending = null;
        }
    }

    /// <summary>There was no room for a batch.</summary>
    public void Full(string why, int bytes)
    {
        lock (_lock)
        {
            (_full, _refusedBytes) = (why, bytes);
        }
    }

    /// <summary>There was room for a batch. A small one may find some where a large one does not.</summary>
    public void HadRoom(int bytes)
    {
        lock (_lock)
        {
            _full = bytes >= _refusedBytes ? null : _full;
        }
    }

    /// <summary>The log has room again, without an append.</summary>
    public void FoundRoom()
    {
        lock (_lock)
        {
            _full = null;
        }
    }

    private string? Stuck() => _appending is { } since && time.GetElapsedTime(since) > Patience
        ? $"Its log has not taken an append for more than {Patience.TotalSeconds:0} seconds: the disk or storage "
          + "account does not answer. It goes on when that does."
        : null;

    private string? Overload() => _overloadedSince is { } since
        && time.GetElapsedTime(_overloadedLast) <= Lull
        && time.GetElapsedTime(since) > Patience
            ? $"It has refused requests for more than {Patience.TotalSeconds:0} seconds, because too many wait: its "
              + "silo or its disk is too slow for this load."
            : null;
}
