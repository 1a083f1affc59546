using Orleans.Consensus.Engines;

namespace Orleans.Consensus.Simulation.Oracles;

/// <summary>
/// Holds every store to its settings: what it keeps in memory and in queues never grows beyond them (S25), and is gone
/// when nobody asks for anything. Each breach is told once.
/// </summary>
internal sealed class BoundsOracle(Action<string> violated)
{
    /// <summary>Several times what the busiest of hundreds of runs had.</summary>
    public const int LongestQueue = 1_000;

    /// <inheritdoc cref="LongestQueue"/>
    public const long MostStoredBytes = 4 * 1024 * 1024;

    /// <summary>The engine remembers this many registers at least, and may be this many over (S20).</summary>
    private const int FewestSessions = 32;

    private readonly HashSet<(int Silo, string What)> _told = [];

    /// <summary>A look at a store at any moment.</summary>
    public void Look(int silo, StoreSettings settings, StoreLoad load)
    {
        var sessions = Math.Max(FewestSessions, settings.PromiseCacheSize) + FewestSessions + load.Pending;
        Compare(silo, "changes are under way", load.Pending, settings.MaxPendingChanges);
        Compare(silo, "registers are remembered", load.Sessions, sessions);
        Compare(silo, "bytes wait to be sent", load.QueuedBytes, settings.MaxQueuedBytes);
        Compare(silo, "bytes wait for the replica", load.WaitingBytes, settings.MaxQueuedBytes);
        Compare(silo, "bytes of state are in memory", load.CachedBytes, settings.ValueCacheBytes);
    }

    /// <summary>A look when all calls have ended.</summary>
    public void LookAfterTheCalls(int silo, StoreLoad load) =>
        Compare(silo, "changes are under way after the last call has ended", load.Pending, 0);

    /// <summary>A look when what the calls have left behind has had its time.</summary>
    public void LookAtRest(int silo, StoreLoad load)
    {
        if (!load.IsIdle)
        {
            violated($"Something is left in the queues at rest, on silo {silo}: {load}.");
        }
    }

    /// <summary>How many tasks ever waited at once.</summary>
    public void LookAtTasks(int most)
    {
        if (most > LongestQueue)
        {
            violated($"Too many tasks waited at once: {most}.");
        }
    }

    /// <param name="where">A disk or an account.</param>
    public void LookAtStorage(string where, long bytes)
    {
        if (bytes > MostStoredBytes)
        {
            violated($"Too much is on the {where}: {bytes} bytes.");
        }
    }

    private void Compare(int silo, string what, long value, long most)
    {
        if (value > most && _told.Add((silo, what)))
        {
            violated($"Too many {what} on silo {silo}: {value}, where {most} may be.");
        }
    }
}
