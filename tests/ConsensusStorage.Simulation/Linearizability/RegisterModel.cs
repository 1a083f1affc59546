namespace Orleans.Consensus.Simulation.Linearizability;

/// <summary>The register as one process would hold it: which change came last, and whether it left a value.</summary>
internal readonly record struct RegisterModel(RegisterVersion? Last, bool IsLive)
{
    public RegisterVersion? Visible => IsLive ? Last : null;

    /// <summary>The register after <paramref name="operation"/> has taken effect; null if it can't here.</summary>
    public RegisterModel? After(Operation operation)
    {
        var owned = Last is { } last && operation.Doubts.Contains(last) && last != operation.Version;
        return operation.Kind switch
        {
            OperationKind.Read => this,
            OperationKind.Write when owned || Visible == operation.Expected => new(operation.Version, true),
            OperationKind.Clear when owned || (IsLive && Visible == operation.Expected) =>
                new(operation.Version, false),
            OperationKind.Clear when !IsLive && operation.Expected is null => this,
            _ => null,
        };
    }
}
