namespace Orleans.Consensus.Simulation.Linearizability;

/// <summary>Tells whether what clients were told of a register has an order, by <see cref="RegisterModel"/>.</summary>
internal static class HistoryChecker
{
    /// <summary>States that a search may visit; a history that needs more is not one to judge.</summary>
    public const int MostStates = 5_000_000;

    /// <param name="history">The operations on one register.</param>
    /// <param name="mayForget">Whether an empty register may have forgotten which clear emptied it (S12).</param>
    /// <param name="mostStates">States to visit at most.</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// There are more than <see cref="OperationSet.Capacity"/>; those that were found stale after a doubt count twice.
    /// </exception>
    /// <exception cref="InvalidOperationException">The search does not end within its states.</exception>
    public static bool IsLinearizable(
        IEnumerable<Operation> history, bool mayForget = false, int mostStates = MostStates) =>
        new LinearizationSearch<Operation, RegisterModel>(
            history.SelectMany(Parts), (operation, model) => Explain(operation, model, mayForget), mostStates)
            .Succeeds();

    /// <summary>What may have happened and then was found stale is a possible effect and a certain answer.</summary>
    private static IEnumerable<Operation> Parts(Operation operation) => operation.Ending switch
    {
        Ending.Never => [],
        Ending.Maybe when operation.Kind == OperationKind.Read => [],
        Ending.StaleAfterDoubt =>
            [operation with { Ending = Ending.Maybe, Seen = null }, operation with { Ending = Ending.Stale }],
        _ => [operation],
    };

    private static RegisterModel? Explain(Operation operation, RegisterModel model, bool mayForget) =>
        operation.Ending switch
        {
            Ending.Applied or Ending.Maybe => model.After(operation),
            Ending.Found => model.Visible == operation.Seen ? model : null,
            Ending.Stale => model.Visible == operation.Seen && IsStale(operation, model, mayForget) ? model : null,
            _ => throw new ArgumentOutOfRangeException(nameof(operation)),
        };

    private static bool IsStale(Operation operation, RegisterModel model, bool mayForget) =>
        model.After(operation) is null
        || (mayForget && !model.IsLive && default(RegisterModel).After(operation) is null);
}
