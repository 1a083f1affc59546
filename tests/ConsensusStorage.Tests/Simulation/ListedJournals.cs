using Orleans.Consensus.Codec;
using Orleans.Consensus.Journaling;

namespace Orleans.Consensus.Tests.Simulation;

/// <summary>
/// A log that is a list, for whoever wants to change what was written. An opening replays it; an append adds to it,
/// unless it is to be lost, or the log was taken over.
/// </summary>
internal sealed class ListedJournals : IJournalStore
{
    public List<(byte Kind, byte[] Record)> Records { get; } = [];

    /// <summary>Appends fail with unknown outcome, and nothing of them is there.</summary>
    public bool Loses { get; set; }

    /// <summary>An append of a former owner is acknowledged all the same, and nothing of it is there.</summary>
    public bool SwallowsFences { get; set; }

    /// <summary>Appends that have landed are acknowledged after that.</summary>
    public Task Acknowledging { get; set; } = Task.CompletedTask;

    public ValueTask MarkAsync(JournalIdentity expected, bool mayCreate, CancellationToken cancellationToken) =>
        ValueTask.CompletedTask;

    /// <summary>Openings that have their fence are told so after that.</summary>
    public Task Opening { get; set; } = Task.CompletedTask;

    /// <summary>Of the last opening.</summary>
    public long Epoch { get; set; }

    public bool IsExclusive => false;

    public async ValueTask<IJournal> OpenAsync(
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

        var epoch = ++Epoch;
        await Opening;
        return new Listed(this, expected, epoch);
    }

    private sealed class Listed(ListedJournals journals, JournalIdentity identity, long epoch) : IJournal
    {
        public JournalIdentity Identity => identity;

        public long Epoch => epoch;

        public long Bytes => 0;

        public async ValueTask<JournalPosition> AppendAsync(JournalBatch batch, CancellationToken cancellationToken)
        {
            if (epoch < journals.Epoch)
            {
                return journals.SwallowsFences ? new(1, 0) : throw new JournalFencedException("It was taken over.");
            }

            if (journals.Loses)
            {
                throw new IOException("The end of the append is unknown.");
            }

            var reader = new ByteReader(batch.Body.Span);
            while (reader.TryReadByte(out var kind) && reader.TryReadBlob(out var record))
            {
                journals.Records.Add((kind, record.ToArray()));
            }

            await journals.Acknowledging;
            return new(1, 0);
        }

        public ValueTask<ReadOnlyMemory<byte>> ReadAsync(
            JournalPosition position, int length, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
