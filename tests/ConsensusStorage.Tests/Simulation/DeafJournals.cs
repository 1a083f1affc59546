using Orleans.Consensus.Journaling;

namespace Orleans.Consensus.Tests.Simulation;

/// <summary>Logs that say "durable" also when somebody else has taken them over: a negative control.</summary>
internal sealed class DeafJournals(IJournalStore journals) : IJournalStore
{
    public bool IsExclusive => journals.IsExclusive;

    public ValueTask MarkAsync(JournalIdentity expected, bool mayCreate, CancellationToken cancellationToken) =>
        journals.MarkAsync(expected, mayCreate, cancellationToken);

    public async ValueTask<IJournal> OpenAsync(
        JournalIdentity expected,
        JournalOwner owner,
        JournalPosition? from,
        JournalReplay replay,
        CancellationToken cancellationToken) =>
        new Deaf(await journals.OpenAsync(expected, owner, from, replay, cancellationToken));

    private sealed class Deaf(IJournal inner) : IJournal
    {
        public JournalIdentity Identity => inner.Identity;

        public long Epoch => inner.Epoch;

        public long Bytes => inner.Bytes;

        public async ValueTask<JournalPosition> AppendAsync(JournalBatch batch, CancellationToken cancellationToken)
        {
            try
            {
                return await inner.AppendAsync(batch, cancellationToken);
            }
            catch (JournalFencedException)
            {
                return new(1, 0);
            }
        }

        public ValueTask<ReadOnlyMemory<byte>> ReadAsync(
            JournalPosition position, int length, CancellationToken cancellationToken) =>
            inner.ReadAsync(position, length, cancellationToken);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
