using Orleans.Consensus.Codec;
using Orleans.Consensus.Journaling;

namespace Orleans.Consensus.Tests.Simulation;

/// <summary>
/// A log that is a list, for whoever wants to change what was written. An opening replays it; an append adds to it,
/// unless it is to be lost.
/// </summary>
internal sealed class ListedJournals : IJournalStore
{
    public List<(byte Kind, byte[] Record)> Records { get; } = [];

    /// <summary>Appends fail with unknown outcome, and nothing of them is there.</summary>
    public bool Loses { get; set; }

    public bool IsExclusive => true;

    public ValueTask<IJournal> OpenAsync(
        JournalIdentity expected,
        JournalOwner owner,
        JournalPosition? from,
        JournalReplay replay,
        CancellationToken cancellationToken)
    {
        foreach (var (kind, record) in Records)
        {
            replay(kind, new(1, 0), record);
        }

        return new(new Listed(this, expected));
    }

    private sealed class Listed(ListedJournals journals, JournalIdentity identity) : IJournal
    {
        public JournalIdentity Identity => identity;

        public long Epoch => 1;

        public long Bytes => 0;

        public ValueTask<JournalPosition> AppendAsync(JournalBatch batch, CancellationToken cancellationToken)
        {
            if (journals.Loses)
            {
                throw new IOException("The end of the append is unknown.");
            }

            var reader = new ByteReader(batch.Body.Span);
            while (reader.TryReadByte(out var kind) && reader.TryReadBlob(out var record))
            {
                journals.Records.Add((kind, record.ToArray()));
            }

            return new(new JournalPosition(1, 0));
        }

        public ValueTask<ReadOnlyMemory<byte>> ReadAsync(
            JournalPosition position, int length, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
