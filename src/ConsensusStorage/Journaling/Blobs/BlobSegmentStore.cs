using System.Globalization;

namespace Orleans.Consensus.Journaling.Blobs;

/// <summary>
/// Segments as append blobs that anybody may open. The first one has a fixed name: whoever finds it there continues
/// that log, so it must never be deleted (S19), and only the roll to the next one is ever appended to it. The names of
/// the later ones hold their random ids, which only the roll record before tells: what somebody creates who has been
/// fenced is in nobody's way, and counts for nothing; what is appended to one is in that log or nowhere (S17).
/// </summary>
/// <param name="opener">Tells the holds of this opening from those of all others.</param>
internal sealed class BlobSegmentStore(
    IAppendBlobs blobs, string folder, Guid opener, BlobRetry retry, Action<AppendResolution> resolved) : ISegmentStore
{
    /// <summary>The service reads append blobs the slower the more appends they are made of.</summary>
    public const int AppendsPerBlob = 1000;

    public string Location => $"{blobs.Location}/{folder}";

    public bool Preallocates => false;

    public bool IsExclusive => false;

    public int MaxAppends { get; init; } = AppendsPerBlob;

    public async ValueTask<IReadOnlyList<int>> ListAsync(CancellationToken cancellationToken)
    {
        // An empty one is what a crash left between creating the blob and its header.
        var length = await LengthAsync(NameOf(1, 0), cancellationToken);
        return length > 0 ? [1] : [];
    }

    public async ValueTask<ISegment?> OpenAsync(int number, UInt128 id, CancellationToken cancellationToken)
    {
        var name = NameOf(number, id);
        return await LengthAsync(name, cancellationToken) is { } length ? SegmentAt(name, number, length) : null;
    }

    public async ValueTask<ISegment> CreateAsync(
        int number, UInt128 id, long capacity, ReadOnlyMemory<byte> header, CancellationToken cancellationToken)
    {
        var name = NameOf(number, id);
        await retry.RunAsync(
            (_, token) => blobs.CreateAsync(name, withContainer: number == 1, token), cancellationToken);

        // Whether it was there already doesn't matter: the header that comes first is the segment's.
        var segment = SegmentAt(name, number, length: 0);
        await segment.WriteAsync(0, header, cancellationToken);
        return segment;
    }

    public ValueTask DisposeAsync()
    {
        retry.Close();
        return ValueTask.CompletedTask;
    }

    private string NameOf(int number, UInt128 id) => number == 1
        ? string.Create(CultureInfo.InvariantCulture, $"{folder}/{number:D8}")
        : string.Create(CultureInfo.InvariantCulture, $"{folder}/{number:D8}-{id:x32}");

    private BlobSegment SegmentAt(string name, int number, long length) =>
        new(blobs, name, number, length, opener, retry, resolved);

    private ValueTask<long?> LengthAsync(string name, CancellationToken cancellationToken) =>
        retry.RunAsync((_, token) => blobs.LengthAsync(name, token), cancellationToken);
}
