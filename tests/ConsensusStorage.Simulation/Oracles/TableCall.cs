using Orleans.Runtime;

namespace Orleans.Consensus.Simulation.Oracles;

internal enum TableAction
{
    ReadAll,
    ReadRow,
    Insert,
    Update,
    Cleanup,
    Gateways,

    /// <summary>A sign of life.</summary>
    Beat,
}

internal enum TableOutcome
{
    /// <summary>It has not ended, or nobody knows how: it may have an effect at any time, or none.</summary>
    Unknown,

    /// <summary>It was done: what it changed stands, what it read was told.</summary>
    Done,

    /// <summary>It was refused and has no effect.</summary>
    Refused,
}

/// <summary>One call of the membership table as its caller saw it.</summary>
/// <param name="Number">How many calls were made before.</param>
/// <param name="Process">Who made it.</param>
/// <param name="Began">A moment of the oracle.</param>
internal sealed record TableCall(int Number, int Process, TableAction Action, int Began)
{
    /// <summary>The silo whose row it is about.</summary>
    public SiloAddress? Silo { get; init; }

    /// <summary>What an update writes.</summary>
    public SiloStatus Status { get; init; }

    /// <summary>The table's ETag that a change expects.</summary>
    public string? TableETag { get; init; }

    /// <summary>The version that a change gives the table.</summary>
    public int Version { get; init; }

    /// <summary>The row's ETag that an update expects.</summary>
    public string? RowETag { get; init; }

    /// <summary>What a cleaning leaves in place.</summary>
    public DateTimeOffset Before { get; init; }

    public TableOutcome Outcome { get; set; }

    public bool HasEnded { get; set; }

    /// <summary>Stands in the row that it writes.</summary>
    public string Mark { get; } = $"call{Number.ToString(System.Globalization.CultureInfo.InvariantCulture)}";

    public override string ToString() =>
        $"{Number} {Action} by {Process} of {Silo?.Generation} {Status} over {Short(TableETag)} {Short(RowETag)}: "
        + $"{(HasEnded ? $"{Outcome}" : "open")}";

    private static string Short(string? etag) => etag is null or { Length: < 12 } ? etag ?? "-" : etag[^6..];
}
