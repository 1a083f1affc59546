using Orleans.Consensus.Simulation.Kernel;

namespace Orleans.Consensus.Simulation.Linearizability;

/// <summary>When an operation of a history took place, if it did.</summary>
internal interface ITimedOperation
{
    /// <summary><see cref="Returned"/> of what may still take effect.</summary>
    const int Open = int.MaxValue;

    /// <summary>When it began; no two moments of a history are the same.</summary>
    int Invoked { get; }

    /// <summary>When it ended.</summary>
    int Returned { get; }

    /// <summary>Whether it may never have taken effect.</summary>
    bool IsOptional { get; }
}

/// <summary>
/// Searches an order of the operations that explains what every client was told and keeps to real time
/// (J. Wing, C. Gong, "Testing and Verifying Concurrent Objects", with the visited set of G. Lowe).
/// </summary>
/// <typeparam name="TOperation">What clients did and were told.</typeparam>
/// <typeparam name="TModel">What they did it to, as one process would hold it.</typeparam>
internal sealed class LinearizationSearch<TOperation, TModel>
    where TOperation : ITimedOperation
    where TModel : struct
{
    private readonly TOperation[] _operations;
    private readonly Func<TOperation, TModel, TModel?> _explain;
    private readonly HashSet<(OperationSet Done, TModel Model)> _visited = [];
    private readonly int _mostStates;

    /// <param name="operations">All operations on one object.</param>
    /// <param name="explain">The model after an operation; null if it can't have ended so there.</param>
    /// <param name="mostStates">States to visit at most.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are too many operations.</exception>
    public LinearizationSearch(
        IEnumerable<TOperation> operations, Func<TOperation, TModel, TModel?> explain, int mostStates)
    {
        _operations = [.. operations.OrderBy(operation => operation.Invoked)];
        _explain = explain;
        _mostStates = mostStates;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(_operations.Length, OperationSet.Capacity);
    }

    /// <summary>Whether there is such an order from the default model on.</summary>
    /// <exception cref="InvalidOperationException">The search does not end within its states.</exception>
    public bool Succeeds() => Search(default, default, latestInvoked: -1);

    private bool Search(OperationSet done, TModel model, int latestInvoked)
    {
        if (!_visited.Add((done, model)))
        {
            return false;
        }

        if (_visited.Count > _mostStates)
        {
            throw new SimulationException(
                $"Too many states: {_operations.Length} operations have no order among the first {_mostStates}.");
        }

        var deadline = ITimedOperation.Open;
        var complete = true;
        for (var i = 0; i < _operations.Length && _operations[i].Invoked < deadline; i++)
        {
            if (!done.Contains(i) && !_operations[i].IsOptional)
            {
                complete = false;
                deadline = Math.Min(deadline, _operations[i].Returned);
            }
        }

        return complete || SearchNext(done, model, latestInvoked, deadline);
    }

    private bool SearchNext(OperationSet done, TModel model, int latestInvoked, int deadline)
    {
        for (var i = 0; i < _operations.Length && _operations[i].Invoked < deadline; i++)
        {
            var operation = _operations[i];
            if (!done.Contains(i)
                && operation.Returned > latestInvoked
                && _explain(operation, model) is { } next
                && Search(done.With(i), next, Math.Max(latestInvoked, operation.Invoked)))
            {
                return true;
            }
        }

        return false;
    }
}
