using System.Diagnostics;
using System.Globalization;
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

    /// <summary>What was noticed at silos that nothing was done to, while a majority of them was there.</summary>
    /// <param name="beats">Waits for each silo.</param>
    /// <param name="minority">How many may be harmed at a time.</param>
    public Noticed Find(IEnumerable<Beat> beats, int minority)
    {
        var (there, moved, repeated) = (TimeSpan.Zero, TimeSpan.Zero, 0);
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
                repeated += beat.Attempts - 1;
            }
            else
            {
                moved = wait > moved ? wait : moved;
            }
        }

        return new(there, repeated, moved);
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

/// <summary>What customers of silos that nothing was done to noticed of what was done to others.</summary>
/// <param name="There">The longest wait for accounts that were on such silos.</param>
/// <param name="Repeated">Requests about those that had to be repeated.</param>
/// <param name="Moved">The longest wait for all others: they had to come from a harmed silo.</param>
internal readonly record struct Noticed(TimeSpan There, int Repeated, TimeSpan Moved)
{
    private static readonly TimeSpan LongestThere = TimeSpan.FromSeconds(1);

    /// <summary>A killed silo of the sample is dead after three seconds; and two more.</summary>
    private static readonly TimeSpan LongestMoved = TimeSpan.FromSeconds(5);

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{There.TotalSeconds:0.0} s for accounts that stayed where they were, {Repeated} requests repeated; "
            + $"{Moved.TotalSeconds:0.0} s for new ones and those of harmed silos");

    /// <summary>Whether it is as good as it should be when silos are killed.</summary>
    /// <exception cref="ViolationException">It is not.</exception>
    public void RequireGoals() => ViolationException.Unless(
        There <= LongestThere && Repeated == 0 && Moved <= LongestMoved,
        $"The goals are missed: {this}; at most 1 s and no repetition; at most 5 s.");
}
