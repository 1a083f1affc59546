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

    public async ValueTask<LogSegment> CreateAsync(
        JournalIdentity identity,
        int number,
        UInt128 previous,
        long epoch,
        long capacity,
        CancellationToken cancellationToken)
    {
        var header = new SegmentHeader(identity, number, newId(), previous, epoch, capacity, Now);
        var (bytes, hash) = header.Encode();
        var storage = await store.CreateAsync(number, header.Id, capacity, bytes, cancellationToken);
        return new(storage, header, hash);
    }
}
