namespace Orleans.Consensus.Journaling;

/// <summary>The first segment of a new log, or what somebody made of it who was faster.</summary>
internal static class FirstSegment
{
    public static async ValueTask<RecoveredLog> CreateAsync(
        JournalRecovery recovery,
        SegmentFactory factory,
        JournalOptions options,
        JournalOpening opening,
        CancellationToken cancellationToken)
    {
        try
        {
            var first = await factory.CreateAsync(
                opening.Expected, 1, previous: 0, epoch: 1, options.CapacityOf(1, 0), cancellationToken);
            return recovery.Begin(first);
        }
        catch (SegmentTakenException)
        {
            return await recovery.RunAsync(cancellationToken) ?? throw new IOException("The first segment is gone.");
        }
    }
}
