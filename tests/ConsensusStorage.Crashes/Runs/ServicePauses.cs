using System.Diagnostics;
using Orleans.Consensus.Crashes.Bank;
using Orleans.Consensus.Crashes.Processes;

namespace Orleans.Consensus.Crashes.Runs;

/// <summary>Which silos were harmed when, and what customers of the others noticed of it. Not thread-safe.</summary>
internal sealed class ServicePauses(Stopwatch clock)
{
    private readonly List<Harmed> _harmed = [];

    /// <summary>Begins a time in which silos are harmed. Disposing of the result ends it.</summary>
    public IDisposable Harm(IReadOnlyCollection<int> silos)
    {
        var harmed = new Harmed([.. silos], clock);
        _harmed.Add(harmed);
        return harmed;
    }

    /// <summary>The longest waits for silos that nothing was done to, while a majority of them was there.</summary>
    /// <param name="beats">Waits for each silo.</param>
    /// <param name="minority">How many may be harmed at a time.</param>
    /// <returns>For accounts on such silos, and for all others: those had to come from a harmed silo.</returns>
    public (TimeSpan There, TimeSpan Moved) Longest(IEnumerable<Beat> beats, int minority)
    {
        var (there, moved) = (TimeSpan.Zero, TimeSpan.Zero);
        foreach (var beat in beats)
        {
            var meanwhile = _harmed.Where(harmed => harmed.Overlaps(beat)).ToList();
            var silos = meanwhile.SelectMany(harmed => harmed.Silos).ToHashSet();
            if (silos.Contains(beat.Silo) || meanwhile.Any(harmed => harmed.Silos.Count > minority))
            {
                continue;
            }

            var wait = beat.Answered - beat.Sent;
            if (beat.Host is { } host && !silos.Any(silo => BankPlan.NameOf(silo) == host))
            {
                there = wait > there ? wait : there;
            }
            else
            {
                moved = wait > moved ? wait : moved;
            }
        }

        return (there, moved);
    }

    private sealed class Harmed(HashSet<int> silos, Stopwatch clock) : IDisposable
    {
        private readonly TimeSpan _from = clock.Elapsed;
        private TimeSpan _until = TimeSpan.MaxValue;

        public HashSet<int> Silos => silos;

        public bool Overlaps(Beat beat) => beat.Sent < _until && beat.Answered > _from;

        public void Dispose() => _until = clock.Elapsed;
    }
}
