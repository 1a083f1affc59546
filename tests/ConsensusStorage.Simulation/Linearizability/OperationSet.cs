namespace Orleans.Consensus.Simulation.Linearizability;

/// <summary>Which operations of a history have their place in an order, by number.</summary>
internal readonly record struct OperationSet
{
    /// <summary>Operations that one history may have.</summary>
    public const int Capacity = 2 * Half;

    private const int Half = 128;

    private UInt128 First { get; init; }

    private UInt128 Second { get; init; }

    public bool Contains(int number) =>
        ((number < Half ? First : Second) & (UInt128.One << (number % Half))) != UInt128.Zero;

    public OperationSet With(int number)
    {
        var bit = UInt128.One << (number % Half);
        return number < Half ? this with { First = First | bit } : this with { Second = Second | bit };
    }
}
