using System.Text;
using Orleans.Runtime;

namespace Orleans.Consensus.Reminders;

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
    /// <summary>What a row takes besides its names, about.</summary>
    private const int FixedBytes = 80;

    /// <summary>What it takes in a node, about.</summary>
    public int Bytes =>
        FixedBytes + Grain.Type.AsSpan().Length + Grain.Key.AsSpan().Length + Encoding.UTF8.GetByteCount(Name);

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
