using Orleans.Runtime;

namespace Orleans.Consensus.Reminders;

/// <summary>The reminders of some grains, as one state. Nobody changes the lists after construction.</summary>
/// <param name="Last">
/// The names of the last changes: who does not know whether his was done sees it here. Null in buckets of before.
/// </param>
[GenerateSerializer, Immutable]
[Alias("Orleans.Consensus.ReminderBucket")]
internal sealed record ReminderBucket(
    [property: Id(0)] List<ReminderRow> Reminders,
    [property: Id(1)] List<string>? Last)
{
    public static readonly ReminderBucket Empty = new([], []);

    /// <summary>As many as may be made while one silo waits for its answer.</summary>
    private const int Remembered = 16;

    /// <summary>Stands for changes that had no names.</summary>
    private const string Unnamed = "";

    public ReminderRow? Find(GrainId grain, string name) =>
        Reminders.Find(row => row.Grain == grain && row.Name == name);

    /// <summary>The same with one more, or with one in the place of that of the same grain and name.</summary>
    public ReminderBucket With(ReminderRow row) => this with
    {
        Reminders = [.. Reminders.Where(other => other.Grain != row.Grain || other.Name != row.Name), row],
    };

    public ReminderBucket Without(ReminderRow row) =>
        this with { Reminders = [.. Reminders.Where(other => other != row)] };

    /// <summary>This one as the outcome of a change.</summary>
    public ReminderBucket By(string change) =>
        this with { Last = [.. (Last ?? [Unnamed]).TakeLast(Remembered - 1), change] };

    /// <summary>Whether a change is one of those that led from an earlier bucket here.</summary>
    /// <returns>Null if that can't be told: too many followed, or some had no names.</returns>
    public bool? HasSeen(string change, ReminderBucket since)
    {
        var names = Last ?? [Unnamed];
        if (names.Contains(change))
        {
            return true;
        }

        return since.Last switch
        {
            // It would stand behind this one, which is there once and never comes again.
            [.., var last] => names.Contains(last) ? false : null,
            [] => names.Count < Remembered && !names.Contains(Unnamed) ? false : null,
            null => null,
        };
    }
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
