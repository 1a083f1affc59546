using Orleans.Consensus.Journaling;
using Orleans.Consensus.Simulation.Oracles;

namespace Orleans.Consensus.Tests.Simulation;

/// <summary>Logs that say "durable" and never wrote it, every so often: a negative control.</summary>
internal sealed class ForgetfulJournals(IJournalStore journals, Random random) : TwistedJournals(journals)
{
    protected override IJournal Twist(IJournal inner) => new Forgetful(inner, random);

    private sealed class Forgetful(IJournal inner, Random random) : JournalBetween(inner)
    {
        /// <summary>The first ones form the store.</summary>
        private int _remembered = 3;

        public override ValueTask<JournalPosition> AppendAsync(
            JournalBatch batch, CancellationToken cancellationToken) =>
            --_remembered < 0 && random.Next(2) == 0
                ? new(new JournalPosition(1, 0))
                : Inner.AppendAsync(batch, cancellationToken);
    }
}
