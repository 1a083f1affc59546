namespace Orleans.Consensus.Simulation.Explorer;

/// <summary>A world that was reached and not gone on from yet.</summary>
internal readonly record struct Reached(World World, Trail? Trail)
{
    /// <summary>Steps on the way there.</summary>
    public int Depth => Trail?.Length ?? 0;
}

/// <summary>How a world was reached, from the last step back to the first.</summary>
internal sealed record Trail(Step Last, Trail? Before)
{
    public int Length { get; } = 1 + (Before?.Length ?? 0);

    public IEnumerable<Step> Steps()
    {
        var steps = new Stack<Step>(Length);
        for (var at = this; at is not null; at = at.Before)
        {
            steps.Push(at.Last);
        }

        return steps;
    }
}

/// <summary>
/// What is still to be gone on from. Breadth first while there is room, so that short ways to a violation are found
/// first; depth first beyond that, so that it never holds much more than <paramref name="breadth"/>. Thread-safe.
/// </summary>
internal sealed class Frontier(int breadth)
{
    private readonly Queue<Reached> _wide = new();
    private readonly Stack<Reached> _deep = new();
    private int _taken;
    private bool _isClosed;

    public bool IsEmpty => _wide.Count + _deep.Count == 0;

    public void Add(Reached reached)
    {
        lock (_wide)
        {
            if (_wide.Count < breadth)
            {
                _wide.Enqueue(reached);
            }
            else
            {
                _deep.Push(reached);
            }

            Monitor.Pulse(_wide);
        }
    }

    /// <summary>Waits as long as somebody else may still add something; false: it is over.</summary>
    public bool TryTake(out Reached reached)
    {
        lock (_wide)
        {
            while (IsEmpty && _taken > 0 && !_isClosed)
            {
                Monitor.Wait(_wide);
            }

            reached = default;
            var isTaken = !_isClosed && (_deep.TryPop(out reached) || _wide.TryDequeue(out reached));
            _taken += isTaken ? 1 : 0;
            return isTaken;
        }
    }

    /// <summary>All that follows from one that was taken has been added.</summary>
    public void Done()
    {
        lock (_wide)
        {
            _taken--;
            Monitor.PulseAll(_wide);
        }
    }

    /// <summary>Nobody gets anything any more.</summary>
    public void Close()
    {
        lock (_wide)
        {
            _isClosed = true;
            Monitor.PulseAll(_wide);
        }
    }
}
