using Orleans.Consensus.Journaling;
using Orleans.Consensus.Simulation.Oracles;

namespace Orleans.Consensus.Tests.Simulation;

/// <summary>Logs that say "durable" also when somebody else has taken them over: a negative control.</summary>
internal sealed class DeafJournals(IJournalStore journals) : TwistedJournals(journals)
{
    protected override IJournal Twist(IJournal inner) => new Deaf(inner);

    private sealed class Deaf(IJournal inner) : JournalBetween(inner)
    {
        public override async ValueTask<JournalPosition> AppendAsync(
            JournalBatch batch, CancellationToken cancellationToken)
        {
            try
            {
                return await Inner.AppendAsync(batch, cancellationToken);
            }
            catch (JournalFencedException)
            {
                return new(1, 0);
            }
        }
    }
}
