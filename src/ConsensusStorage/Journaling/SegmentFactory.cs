namespace Orleans.Consensus.Journaling;

/// <summary>What an opener hands to <see cref="IJournalStore.OpenAsync"/>, but for the place.</summary>
internal sealed record JournalOpening(
    JournalIdentity Expected, JournalOwner Owner, JournalPosition? From, JournalReplay Replay);

/// <summary>Creates segments with their headers: the only part of a log that needs the clock and randomness.</summary>
internal sealed class SegmentFactory(ISegmentStore store, TimeProvider time, Func<UInt128> newId)
{
    /// <summary>Owner epoch of this opening of the log.</summary>
    public long Epoch { get; set; }

    public TimeProvider Clock => time;

    public long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Lets some time pass.</summary>
    public Task PauseAsync(TimeSpan pause, CancellationToken cancellationToken) =>
        Task.Delay(pause, time, cancellationToken);

    public async ValueTask<LogSegment> CreateAsync(
        JournalIdentity identity,
        int number,
        UInt128 previous,
        long epoch,
        long capacity,
        CancellationToken cancellationToken)
    {
        var header = new SegmentHeader(identity, number, newId(), previous, epoch, capacity, Now)
        {
            GoesOnAt = store is ISharedSegmentStore ? 0 : null,
        };
        var (bytes, hash) = header.Encode();
        var storage = await store.CreateAsync(number, header.Id, capacity, bytes, cancellationToken);
        return new(storage, header, hash);
    }

    /// <summary>A header for a segment that takes a log in a shared directory over.</summary>
    public SegmentHeader HeaderBehind(JournalIdentity identity, SharedEnd? end, long capacity) =>
        new(identity, (end?.Segment.Number ?? 0) + 1, newId(), end?.Segment.Header.Id ?? 0, Epoch, capacity, Now)
        {
            GoesOnAt = end?.Offset ?? 0,
        };

    /// <summary>A header that says: the roll record that led to this segment stands.</summary>
    public SegmentHeader HeaderOfRoll(SegmentHeader rolled) =>
        new(rolled.Identity, rolled.Number, newId(), rolled.Previous, Epoch, SegmentHeader.Size, Now) { GoesOnAt = 0 };
}
