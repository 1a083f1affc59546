using Orleans.Consensus.Journaling;
using Orleans.Runtime;

namespace Orleans.Consensus.Simulation.Oracles;

/// <summary>
/// Sees to it that silos that disagree about who hosts a replica don't fight for its log: who was fenced out leaves it
/// alone for a while (S17), and once all agree nothing moves any more.
/// </summary>
internal sealed class FightOracle(TimeProvider time, Action<string> violated)
{
    /// <summary>Hosts wait for half a second, or half of that if chance will have it.</summary>
    public static readonly TimeSpan LeastPause = TimeSpan.FromMilliseconds(250);

    private readonly Dictionary<(SiloAddress Silo, LogId Log), long> _fenced = [];

    /// <summary>Nothing has happened for long, and nothing does.</summary>
    public bool IsPeace { get; set; }

    public IJournalStore Watch(SiloAddress silo, IJournalStore journals) => new Store(this, silo, journals);

    private sealed class Store(FightOracle oracle, SiloAddress silo, IJournalStore journals)
        : JournalsBetween(journals)
    {
        public override async ValueTask<IJournal> OpenAsync(
            JournalIdentity expected,
            JournalOwner owner,
            JournalPosition? from,
            JournalReplay replay,
            CancellationToken cancellationToken)
        {
            var begun = oracle.Now;
            if (oracle.IsPeace)
            {
                oracle.Tell($"A log was opened in the middle of peace (replica {expected.Replica}, {silo}).");
            }

            var journal = await Inner.OpenAsync(expected, owner, from, replay, cancellationToken);
            if (oracle._fenced.TryGetValue((silo, journal.Identity.LogId), out var fenced)
                && oracle.Between(fenced, begun) < LeastPause)
            {
                oracle.Tell(
                    $"A host that was fenced took the log back at once (replica {expected.Replica}, after "
                    + $"{oracle.Between(fenced, begun).TotalMilliseconds} ms).");
            }

            return new Journal(oracle, silo, journal);
        }
    }

    private long Now => time.GetTimestamp();

    private TimeSpan Between(long from, long to) => time.GetElapsedTime(from, to);

    private void Tell(string what) => violated(what);

    private sealed class Journal(FightOracle oracle, SiloAddress silo, IJournal inner) : JournalBetween(inner)
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
                oracle._fenced[(silo, Inner.Identity.LogId)] = oracle.Now;
                throw;
            }
        }
    }
}
