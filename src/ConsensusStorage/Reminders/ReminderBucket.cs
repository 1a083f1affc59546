namespace Orleans.Consensus.Reminders;

/// <summary>What a former version kept in a bucket. Nothing of it is read.</summary>
[GenerateSerializer, Immutable]
[Alias("Orleans.Consensus.ReminderBucket")]
internal sealed record ReminderBucket;
