using Orleans.Consensus.Simulation.Linearizability;

namespace Orleans.Consensus.Tests.Linearizability;

/// <summary>
/// Tries every order of every choice of operations, with nothing left out and nothing remembered: slow, and too simple
/// to be wrong.
/// </summary>
internal sealed class AllOrders(IReadOnlyList<AllOrders.Event> events, bool mayForget)
{
    private readonly List<Event> _order = [];

    /// <summary>A point in time at which an operation had its effect or saw what it saw.</summary>
    internal sealed record Event(Operation Operation, bool IsEffect, bool IsCertain);

    public static bool Explain(IEnumerable<Operation> history, bool mayForget) =>
        new AllOrders([.. history.SelectMany(EventsOf)], mayForget).Search(default);

    /// <summary>How many events there are to put into order.</summary>
    public static int Count(IEnumerable<Operation> history) => history.Sum(operation => EventsOf(operation).Count());

    private static IEnumerable<Event> EventsOf(Operation operation)
    {
        if (operation.Ending is Ending.Applied)
        {
            yield return new(operation, IsEffect: true, IsCertain: true);
        }

        if (operation.Kind != OperationKind.Read && operation.Ending is Ending.Maybe or Ending.StaleAfterDoubt)
        {
            yield return new(operation, IsEffect: true, IsCertain: false);
        }

        if (operation.Ending is Ending.Found or Ending.Stale or Ending.StaleAfterDoubt)
        {
            yield return new(operation, IsEffect: false, IsCertain: true);
        }
    }

    private bool Search(RegisterModel model)
    {
        var left = events.Where(one => !_order.Contains(one)).ToList();
        if (left.TrueForAll(one => !one.IsCertain))
        {
            return true;
        }

        foreach (var next in left.Where(IsInTime))
        {
            if (After(next, model) is not { } after)
            {
                continue;
            }

            _order.Add(next);
            if (Search(after))
            {
                return true;
            }

            _order.RemoveAt(_order.Count - 1);
        }

        return false;
    }

    /// <summary>Nothing comes behind what began after it had ended.</summary>
    private bool IsInTime(Event next) =>
        _order.TrueForAll(earlier => earlier.Operation.Invoked < next.Operation.Returned);

    private RegisterModel? After(Event next, RegisterModel model)
    {
        var operation = next.Operation;
        if (next.IsEffect)
        {
            return model.After(operation);
        }

        var isForgotten = mayForget && !model.IsLive && default(RegisterModel).After(operation) is null;
        var isRight = operation.Kind == OperationKind.Read || model.After(operation) is null || isForgotten;
        return isRight && model.Visible == operation.Seen ? model : null;
    }
}
