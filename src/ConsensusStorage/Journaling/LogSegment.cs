namespace Orleans.Consensus.Journaling;

/// <summary>A segment together with what its header says.</summary>
/// <param name="HeaderHash">Hash of the header; the log's first batch hangs on that of segment 1.</param>
internal sealed record LogSegment(ISegment Storage, SegmentHeader Header, UInt128 HeaderHash)
{
    public int Number => Header.Number;

    /// <summary>
    /// True if a batch of <paramref name="extent"/> bytes fits and leaves a sector for the roll record: a segment
    /// can always be left.
    /// </summary>
    public bool HasRoom(long offset, int extent) => offset + extent <= Header.Capacity - Sector.Size;

    public string Place(string location) => PlaceOf(location, Number);

    public static string PlaceOf(string location, int number) => $"Segment {number} of the log in {location}";
}
