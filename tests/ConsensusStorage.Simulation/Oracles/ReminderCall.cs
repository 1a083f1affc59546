namespace Orleans.Consensus.Simulation.Oracles;

internal enum ReminderAction
{
    Read,
    Upsert,
    Remove,
}

/// <summary>One call of the reminder table as its caller saw it.</summary>
/// <param name="Number">How many calls were made before.</param>
/// <param name="Key">The reminder that it is about; null for a read of many.</param>
/// <param name="Began">A moment of the oracle.</param>
internal sealed record ReminderCall(int Number, ReminderAction Action, string? Key, int Began)
{
    /// <summary>It may have its effect at any time.</summary>
    public const int Open = int.MaxValue;

    /// <summary>What a removal expects, or what an upsert was told.</summary>
    public string? ETag { get; set; }

    /// <summary>When it was answered; <see cref="Open"/> if nobody knows how it ended.</summary>
    public int Ended { get; set; } = Open;

    public bool WasRefused { get; set; }

    /// <summary>When the first read that saw its effect ended; <see cref="Open"/> if none did.</summary>
    public int Seen { get; set; } = Open;

    /// <summary>It was acknowledged.</summary>
    public bool IsDone => Ended != Open && !WasRefused;

    /// <summary>When it had its effect at the latest; <see cref="Open"/> if nobody knows whether it had.</summary>
    public int Happened => WasRefused ? Open : Math.Min(Ended, Seen);

    /// <summary>It has, had, or may yet have an effect.</summary>
    public bool MayChange => Action != ReminderAction.Read && !WasRefused;

    public override string ToString() =>
        $"{Number} {Action} {Key} [{Began}..{(Ended == Open ? "" : $"{Ended}")}] {(WasRefused ? "refused" : "")}";
}
