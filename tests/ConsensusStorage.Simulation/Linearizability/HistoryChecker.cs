using System.Collections.Immutable;

namespace Orleans.Consensus.Simulation.Linearizability;

/// <summary>
/// Searches an order of the operations that explains what every client was told and keeps to real time
/// (J. Wing, C. Gong, "Testing and Verifying Concurrent Objects", with the visited set of G. Lowe).
/// </summary>
internal sealed class HistoryChecker
{
    /// <summary>Operations that one history may have; some count twice.</summary>
    public const int Capacity = 128;

    /// <summary>States that a search may visit; a history that needs more is not one to judge.</summary>
    public const int MostStates = 5_000_000;

    private readonly Operation[] _operations;
    private readonly HashSet<(UInt128 Done, RegisterModel Model)> _visited = [];
    private readonly bool _mayForget;
    private readonly int _mostStates;

    private HistoryChecker(IEnumerable<Operation> operations, bool mayForget, int mostStates)
    {
        _operations = [.. operations.OrderBy(operation => operation.Invoked)];
        _mayForget = mayForget;
        _mostStates = mostStates;
    }

    /// <param name="history">The operations on one register.</param>
    /// <param name="mayForget">Whether an empty register may have forgotten which clear emptied it (S12).</param>
    /// <param name="mostStates">States to visit at most.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are more than <see cref="Capacity"/>.</exception>
    /// <exception cref="InvalidOperationException">The search does not end within its states.</exception>
    public static bool IsLinearizable(
        IEnumerable<Operation> history, bool mayForget = false, int mostStates = MostStates)
    {
        var operations = history.SelectMany(Parts).ToImmutableArray();
        ArgumentOutOfRangeException.ThrowIfGreaterThan(operations.Length, Capacity);
        return new HistoryChecker(operations, mayForget, mostStates).Search(0, default, latestInvoked: -1);
    }

    /// <summary>What may have happened and then was found stale is a possible effect and a certain answer.</summary>
    private static IEnumerable<Operation> Parts(Operation operation) => operation.Ending switch
    {
        Ending.Never => [],
        Ending.Maybe when operation.Kind == OperationKind.Read => [],
        Ending.StaleAfterDoubt =>
            [operation with { Ending = Ending.Maybe, Seen = null }, operation with { Ending = Ending.Stale }],
        _ => [operation],
    };

    private bool Search(UInt128 done, RegisterModel model, int latestInvoked)
    {
        if (!_visited.Add((done, model)))
        {
            return false;
        }

        if (_visited.Count > _mostStates)
        {
            throw new InvalidOperationException(
                $"Too many states: {_operations.Length} operations have no order among the first {_mostStates}.");
        }

        var deadline = Operation.Open;
        var complete = true;
        for (var i = 0; i < _operations.Length && _operations[i].Invoked < deadline; i++)
        {
            if ((done & (UInt128.One << i)) == 0 && _operations[i].Ending != Ending.Maybe)
            {
                complete = false;
                deadline = Math.Min(deadline, _operations[i].Returned);
            }
        }

        return complete || SearchNext(done, model, latestInvoked, deadline);
    }

    private bool SearchNext(UInt128 done, RegisterModel model, int latestInvoked, int deadline)
    {
        for (var i = 0; i < _operations.Length && _operations[i].Invoked < deadline; i++)
        {
            var operation = _operations[i];
            var bit = UInt128.One << i;
            if ((done & bit) == 0
                && operation.Returned > latestInvoked
                && Explain(operation, model) is { } next
                && Search(done | bit, next, Math.Max(latestInvoked, operation.Invoked)))
            {
                return true;
            }
        }

        return false;
    }

    private RegisterModel? Explain(Operation operation, RegisterModel model) => operation.Ending switch
    {
        Ending.Applied or Ending.Maybe => model.After(operation),
        Ending.Found => model.Visible == operation.Seen ? model : null,
        Ending.Stale => model.Visible == operation.Seen && IsStale(operation, model) ? model : null,
        _ => throw new ArgumentOutOfRangeException(nameof(operation)),
    };

    private bool IsStale(Operation operation, RegisterModel model) =>
        model.After(operation) is null
        || (_mayForget && !model.IsLive && default(RegisterModel).After(operation) is null);
}
