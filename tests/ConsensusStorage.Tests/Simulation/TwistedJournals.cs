using Orleans.Consensus.Journaling;
using Orleans.Consensus.Simulation.Oracles;

namespace Orleans.Consensus.Tests.Simulation;

/// <summary>Logs that are not what they should be: negative controls.</summary>
internal abstract class TwistedJournals(IJournalStore journals) : JournalsBetween(journals)
{
    public override async ValueTask<IJournal> OpenAsync(
        JournalIdentity expected,
        JournalOwner owner,
        JournalPosition? from,
        JournalReplay replay,
        CancellationToken cancellationToken) =>
        Twist(await Inner.OpenAsync(expected, owner, from, replay, cancellationToken));

    /// <summary>What takes the place of a log that was opened.</summary>
    protected abstract IJournal Twist(IJournal inner);
}
