using Orleans.Consensus.Journaling;
using Orleans.Consensus.Simulation.Oracles;

namespace Orleans.Consensus.Tests.Simulation;

/// <summary>Logs that take some appends, and then can't be used any more: a negative control.</summary>
internal sealed class WornOutJournals(IJournalStore journals, int appends) : TwistedJournals(journals)
{
    private int _left = appends;

    public override ValueTask<IJournal> OpenAsync(
        JournalIdentity expected,
        JournalOwner owner,
        JournalPosition? from,
        JournalReplay replay,
        CancellationToken cancellationToken) =>
        _left > 0 ? base.OpenAsync(expected, owner, from, replay, cancellationToken) : throw WornOutException();

    protected override IJournal Twist(IJournal inner) => new WornOut(this, inner);

    private static JournalUnavailableException WornOutException() => new("It takes nothing any more.");

    private sealed class WornOut(WornOutJournals journals, IJournal inner) : JournalBetween(inner)
    {
        public override ValueTask<JournalPosition> AppendAsync(
            JournalBatch batch, CancellationToken cancellationToken) =>
            journals._left-- > 0
                ? Inner.AppendAsync(batch, cancellationToken)
                : throw WornOutException();
    }
}
