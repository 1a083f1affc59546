namespace Orleans.Consensus.Engines;

/// <summary>Something that happens again and again, for many to wait for. Thread-safe.</summary>
internal sealed class Pulse
{
    private readonly Lock _lock = new();
    private LinkedList<Waiter> _waiters = new();

    /// <summary>
    /// Starts to wait for the next <see cref="Beat"/>. Look at the condition after this call and before awaiting it,
    /// so that a beat in between is not missed. The caller disposes what it gets.
    /// </summary>
    public Wait Next(TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        var waiter = new Waiter(timeout, time, cancellationToken);
        lock (_lock)
        {
            return new(this, _waiters.AddLast(waiter));
        }
    }

    public void Beat()
    {
        LinkedList<Waiter> waiters;
        lock (_lock)
        {
            waiters = _waiters;
            _waiters = new();
        }

        foreach (var waiter in waiters)
        {
            waiter.Signal();
        }
    }

    private void Forget(LinkedListNode<Waiter> node)
    {
        lock (_lock)
        {
            if (node.List == _waiters)
            {
                _waiters.Remove(node);
            }
        }

        node.Value.Dispose();
    }

    /// <summary>One wait for one beat.</summary>
    public readonly struct Wait(Pulse pulse, LinkedListNode<Waiter> node) : IDisposable
    {
        /// <summary>True after the beat, false if time ran out or the wait was cancelled before.</summary>
        public Task<bool> Task => node.Value.Task;

        public void Dispose() => pulse.Forget(node);
    }
}
