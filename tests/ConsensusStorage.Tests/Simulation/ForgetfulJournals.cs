using Orleans.Consensus.Journaling;

namespace Orleans.Consensus.Tests.Simulation;

/// <summary>Logs that say "durable" and never wrote it, every so often: a negative control.</summary>
internal sealed class ForgetfulJournals(IJournalStore journals, Random random) : IJournalStore
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
        new Forgetful(await journals.OpenAsync(expected, owner, from, replay, cancellationToken), random);

    private sealed class Forgetful(IJournal inner, Random random) : IJournal
    {
        /// <summary>The first ones form the store.</summary>
        private int _remembered = 3;

        public JournalIdentity Identity => inner.Identity;

        public long Epoch => inner.Epoch;

        public long Bytes => inner.Bytes;

        public ValueTask<JournalPosition> AppendAsync(JournalBatch batch, CancellationToken cancellationToken) =>
            --_remembered < 0 && random.Next(2) == 0
                ? new(new JournalPosition(1, 0))
                : inner.AppendAsync(batch, cancellationToken);

        public ValueTask<ReadOnlyMemory<byte>> ReadAsync(
            JournalPosition position, int length, CancellationToken cancellationToken) =>
            inner.ReadAsync(position, length, cancellationToken);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
