using Orleans.Consensus.Journaling;
using Orleans.Consensus.Simulation.Oracles;

namespace Orleans.Consensus.Tests.Engines;

/// <summary>Logs that fail when they are closed, although they are.</summary>
internal sealed class UnclosableJournals(IJournalStore journals) : JournalsBetween(journals)
{
    public override async ValueTask<IJournal> OpenAsync(
        JournalIdentity expected,
        JournalOwner owner,
        JournalPosition? from,
        JournalReplay replay,
        CancellationToken cancellationToken) =>
        new Unclosable(await Inner.OpenAsync(expected, owner, from, replay, cancellationToken));

    private sealed class Unclosable(IJournal inner) : JournalBetween(inner)
    {
        public override ValueTask<JournalPosition> AppendAsync(
            JournalBatch batch, CancellationToken cancellationToken) => Inner.AppendAsync(batch, cancellationToken);

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            throw new IOException("It can't be closed.");
        }
    }
}
