using Orleans.Consensus.Simulation.Kernel;

namespace Orleans.Consensus.Simulation.Explorer;

/// <summary>A check that failed, and the way there.</summary>
internal sealed record Violation(string Message, Trail Trail);

/// <summary>
/// Goes through every world that can be reached, each once, on several threads. How many there are and how many steps
/// lead from one to another depends on nothing but the rules and the moves.
/// </summary>
internal sealed class ExhaustiveWalk(WorldRules rules, Moves moves)
{
    private const int Breadth = 50_000;

    private readonly StateSet _seen = new();
    private readonly Frontier _open = new(Breadth);
    private long _states;
    private long _transitions;
    private int _depth;
    private Violation? _violation;

    public int Workers { get; init; } = 1;

    /// <summary>Stop here; then the walk was not exhaustive.</summary>
    public long Limit { get; init; } = 2_000_000;

    /// <summary>Stop when it says so.</summary>
    public Func<bool> IsEnough { get; init; } = static () => false;

    public long States => Interlocked.Read(ref _states);

    /// <summary>Steps that were tried, from all worlds.</summary>
    public long Transitions => _transitions;

    /// <summary>The longest way that was gone.</summary>
    public int Depth => _depth;

    public Violation? Violation => _violation;

    public bool IsComplete => _violation is null && _open.IsEmpty;

    public ExhaustiveWalk Run()
    {
        Visit(new(moves.Start(rules), null));
        WorkerThreads.Run(Workers, Work);
        return this;
    }

    /// <summary>The way to the violation, in words.</summary>
    public string Tell() => Story.Tell(moves.Start(rules), moves, _violation!.Trail.Steps(), _violation.Message);

    private void Work()
    {
        while (_open.TryTake(out var reached))
        {
            Expand(reached);
            if (States >= Limit || IsEnough())
            {
                _open.Close();
            }

            _open.Done();
        }
    }

    private void Expand(Reached from)
    {
        var transitions = 0;
        foreach (var step in moves.In(from.World))
        {
            var trail = new Trail(step, from.Trail);
            transitions++;
            try
            {
                Visit(new(moves.Prune(step.Take(from.World)), trail));
            }
            catch (Exception error) when (error is not OutOfMemoryException)
            {
                // Not only failed checks: the shipped code must not throw anything, whatever happens.
                Interlocked.CompareExchange(ref _violation, new(error.Message, trail), null);
                _open.Close();
                return;
            }
        }

        Interlocked.Add(ref _transitions, transitions);
    }

    private void Visit(Reached reached)
    {
        if (!_seen.Add(WorldKey.Of(reached.World)))
        {
            return;
        }

        Interlocked.Increment(ref _states);
        if (reached.Depth > Volatile.Read(ref _depth))
        {
            lock (_seen)
            {
                _depth = Math.Max(_depth, reached.Depth);
            }
        }

        _open.Add(reached);
    }
}
