using System.Collections.Immutable;

namespace Orleans.Consensus.Simulation.Linearizability;

internal enum OperationKind
{
    Read,
    Write,
    Clear,
}

/// <summary>How an operation ended, as its client was told.</summary>
internal enum Ending
{
    /// <summary>It took effect.</summary>
    Applied,

    /// <summary>A read that found <see cref="Operation.Seen"/>.</summary>
    Found,

    /// <summary>It found <see cref="Operation.Seen"/> and had no effect.</summary>
    Stale,

    /// <summary>The same, and an earlier attempt of it may have had its effect before.</summary>
    StaleAfterDoubt,

    /// <summary>It may take effect at any time up to <see cref="Operation.Returned"/>, or never.</summary>
    Maybe,

    /// <summary>It never has an effect.</summary>
    Never,
}

/// <summary>One operation on the register as its client saw it.</summary>
/// <param name="Version">The version it makes.</param>
/// <param name="Expected">The version it replaces; null: an absence.</param>
/// <param name="Doubts">Versions of the same owner that it may replace as well (S7).</param>
/// <param name="Invoked">When it began; no two moments of a history are the same.</param>
/// <param name="Returned">When it ended; <see cref="Open"/> if its effect may still come.</param>
/// <param name="Seen">What it was told the register holds; null: nothing.</param>
internal sealed record Operation(
    OperationKind Kind,
    RegisterVersion Version,
    RegisterVersion? Expected,
    ImmutableArray<RegisterVersion> Doubts,
    int Invoked,
    int Returned = Operation.Open,
    Ending Ending = Ending.Maybe,
    RegisterVersion? Seen = null) : ITimedOperation
{
    public const int Open = ITimedOperation.Open;

    public bool IsOptional => Ending == Ending.Maybe;

    public override string ToString()
    {
        var returned = Returned == Open ? "open" : $"{Returned}";
        return $"[{Invoked}..{returned}] {Kind} {Short(Version)} over {Short(Expected)}"
            + $" or ({string.Join(' ', Doubts.Select(doubt => Short(doubt)))}): {Ending} {Short(Seen)}";
    }

    private static string Short(RegisterVersion? version) =>
        version is { } known ? $"{known.Writer.Value}-{known.Sequence}" : "none";
}
