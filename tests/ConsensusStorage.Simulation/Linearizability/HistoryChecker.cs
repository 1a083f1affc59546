using System.Collections.Immutable;

namespace Orleans.Consensus.Simulation.Linearizability;

/// <summary>
/// Searches an order of the operations that explains what every client was told and keeps to real time
/// (J. Wing, C. Gong, "Testing and Verifying Concurrent Objects", with the visited set of G. Lowe).
/// </summary>
internal sealed class HistoryChecker
{
    private readonly ImmutableArray<Operation> _operations;
    private readonly HashSet<(ulong Done, RegisterModel Model)> _visited = [];

    private HistoryChecker(ImmutableArray<Operation> operations) => _operations = operations;

    public static bool IsLinearizable(IEnumerable<Operation> history)
    {
        var operations = history.SelectMany(Parts).ToImmutableArray();
        ArgumentOutOfRangeException.ThrowIfGreaterThan(operations.Length, 64);
        return new HistoryChecker(operations).Search(0, default, latestInvoked: -1);
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

    private bool Search(ulong done, RegisterModel model, int latestInvoked)
    {
        if (!_visited.Add((done, model)))
        {
            return false;
        }

        var deadline = Operation.Open;
        var complete = true;
        for (var i = 0; i < _operations.Length; i++)
        {
            if ((done & (1UL << i)) == 0 && _operations[i].Ending != Ending.Maybe)
            {
                complete = false;
                deadline = Math.Min(deadline, _operations[i].Returned);
            }
        }

        return complete || SearchNext(done, model, latestInvoked, deadline);
    }

    private bool SearchNext(ulong done, RegisterModel model, int latestInvoked, int deadline)
    {
        for (var i = 0; i < _operations.Length; i++)
        {
            var operation = _operations[i];
            var isFree = (done & (1UL << i)) == 0 && operation.Invoked < deadline && operation.Returned > latestInvoked;
            if (isFree
                && Explain(operation, model) is { } next
                && Search(done | (1UL << i), next, Math.Max(latestInvoked, operation.Invoked)))
            {
                return true;
            }
        }

        return false;
    }

    private static RegisterModel? Explain(Operation operation, RegisterModel model) => operation.Ending switch
    {
        Ending.Applied or Ending.Maybe => model.After(operation),
        Ending.Found => model.Visible == operation.Seen ? model : null,
        Ending.Stale => model.Visible == operation.Seen && model.After(operation) is null ? model : null,
        _ => throw new ArgumentOutOfRangeException(nameof(operation)),
    };
}
