namespace Orleans.Consensus.Reminders;

/// <summary>What the table of reminders works with. The limits may change between versions.</summary>
internal sealed record ReminderSettings
{
    /// <summary>Time after which a call begins nothing more.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A node with more reminders is split: what a change writes has this bound.</summary>
    public int MostRows { get; init; } = 24;

    /// <summary>A node of more bytes is split, too, unless it is a single reminder.</summary>
    public int MostBytes { get; init; } = 8 * 1024;

    /// <summary>Nodes that one call reads at a time. Where one can't be read, the rest is not tried.</summary>
    public int ReadsAtOnce { get; init; } = 16;

    /// <summary>Buckets in which a former version kept reminders.</summary>
    public int FormerBuckets { get; init; } = 256;
}
