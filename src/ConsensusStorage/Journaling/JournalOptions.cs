namespace Orleans.Consensus.Journaling;

/// <summary>Sizes of a log's segments, and who may take it over.</summary>
internal sealed record JournalOptions
{
    /// <summary>Bytes of a grown log's segments. Default 64 MiB.</summary>
    public long SegmentBytes { get; init; } = 64L << 20;

    /// <summary>
    /// Bytes of the first segment; each later one is twice as large up to <see cref="SegmentBytes"/>, so that a young
    /// log is small and a large one has few files. Default 1 MiB.
    /// </summary>
    public long FirstSegmentBytes { get; init; } = 1L << 20;

    /// <summary>Bytes of the largest batch that an append takes. Default 64 MiB.</summary>
    public int MaxBatchBytes { get; init; } = 64 << 20;

    /// <summary>
    /// Refuses to take a log back that another cluster has taken over from this one: of two deployments that share
    /// their logs, the newer one stays (blue/green). Default false.
    /// </summary>
    public bool YieldsToOtherClusters { get; init; }

    /// <summary>The size of a segment that has room for at least <paramref name="need"/> bytes of batches.</summary>
    public long CapacityOf(int number, long need)
    {
        var doublings = Math.Min(number - 1, 30);
        var grown = Math.Max(FirstSegmentBytes, Math.Min(SegmentBytes, FirstSegmentBytes << doublings));
        var bytes = Math.Max(grown, SegmentHeader.Size + need + Sector.Size);
        return (bytes + SegmentHeader.Size - 1) / SegmentHeader.Size * SegmentHeader.Size;
    }
}
