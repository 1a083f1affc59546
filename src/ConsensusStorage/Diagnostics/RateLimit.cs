namespace Orleans.Consensus.Diagnostics;

/// <summary>Lets something happen once in an interval and counts what it held back. Thread-safe.</summary>
internal sealed class RateLimit(TimeProvider time, TimeSpan interval)
{
    private readonly Lock _lock = new();
    private long _last;
    private bool _used;
    private int _heldBack;

    /// <summary>Whether it may happen now.</summary>
    /// <param name="heldBack">How often it might not, since it last might.</param>
    public bool TryTake(out int heldBack)
    {
        lock (_lock)
        {
            if (_used && time.GetElapsedTime(_last) < interval)
            {
                _heldBack++;
                heldBack = 0;
                return false;
            }

            heldBack = _heldBack;
            _heldBack = 0;
            _used = true;
            _last = time.GetTimestamp();
            return true;
        }
    }
}
