using Orleans.Runtime;

namespace Orleans.Consensus.Reminders;

/// <summary>The reminders of some grains, as one state. Nobody changes the list after construction.</summary>
[GenerateSerializer, Immutable]
[Alias("Orleans.Consensus.ReminderBucket")]
internal sealed record ReminderBucket([property: Id(0)] List<ReminderRow> Reminders)
{
    public static readonly ReminderBucket Empty = new([]);

    public ReminderRow? Find(GrainId grain, string name) =>
        Reminders.Find(row => row.Grain == grain && row.Name == name);

    /// <summary>The same with one more, or with one in the place of that of the same grain and name.</summary>
    public ReminderBucket With(ReminderRow row) =>
        new([.. Reminders.Where(other => other.Grain != row.Grain || other.Name != row.Name), row]);

    public ReminderBucket Without(ReminderRow row) => new([.. Reminders.Where(other => other != row)]);
}

/// <summary>One reminder.</summary>
[GenerateSerializer, Immutable]
[Alias("Orleans.Consensus.ReminderRow")]
internal sealed record ReminderRow(
    [property: Id(0)] GrainId Grain,
    [property: Id(1)] string Name,
    [property: Id(2)] DateTime StartAt,
    [property: Id(3)] TimeSpan Period,
    [property: Id(4)] string ETag)
{
    public static ReminderRow Of(ReminderEntry entry, string etag) =>
        new(entry.GrainId, entry.ReminderName, entry.StartAt, entry.Period, etag);

    public ReminderEntry ToEntry() => new()
    {
        GrainId = Grain,
        ReminderName = Name,
        StartAt = StartAt,
        Period = Period,
        ETag = ETag,
    };
}
