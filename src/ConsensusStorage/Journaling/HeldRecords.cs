namespace Orleans.Consensus.Journaling;

/// <summary>
/// The records of a batch that is the last one so far. In a shared directory they are shown when another batch follows;
/// those of the very last one are shown by the opener that carries them on, in their new places. Not thread-safe.
/// </summary>
internal sealed class HeldRecords(JournalReplay replay)
{
    private readonly List<(JournalPosition Position, CarriedRecord Record)> _records = [];

    public IReadOnlyList<CarriedRecord> All => _records.ConvertAll(one => one.Record);

    public void Add(byte kind, JournalPosition position, ReadOnlySpan<byte> record) =>
        _records.Add((position, new(kind, record.ToArray())));

    /// <summary>Another batch follows.</summary>
    public void Show()
    {
        foreach (var (position, record) in _records)
        {
            replay(record.Kind, position, record.Bytes);
        }

        _records.Clear();
    }
}
