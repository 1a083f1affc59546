using Orleans.Consensus.Journaling;
using Orleans.Consensus.Simulation.Oracles;
using Orleans.Consensus.Tests.Simulation;

namespace Orleans.Consensus.Tests.Engines;

/// <summary>Logs that fail when they are closed, although they are.</summary>
internal sealed class UnclosableJournals(IJournalStore journals) : TwistedJournals(journals)
{
    protected override IJournal Twist(IJournal inner) => new Unclosable(inner);

    private sealed class Unclosable(IJournal inner) : JournalBetween(inner)
    {
        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            throw new IOException("It can't be closed.");
        }
    }
}
