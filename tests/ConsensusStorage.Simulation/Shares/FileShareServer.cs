using Orleans.Consensus.Journaling;
using Orleans.Consensus.Simulation.Disks;
using Orleans.Consensus.Simulation.Kernel;

namespace Orleans.Consensus.Simulation.Shares;

/// <summary>
/// A file server that has the logs of one replica, and the locks on their directories. It gives a lock up with the
/// process that has it, and forgets all of them when it loses its power. It may know locks of one machine only.
/// </summary>
internal sealed class FileShareServer(FaultyFiles files)
{
    private readonly Dictionary<string, List<Holder>> _locks = new(StringComparer.Ordinal);

    public FaultyFiles Files => files;

    /// <summary>False if each machine keeps its locks to itself.</summary>
    public bool LocksHold { get; set; } = true;

    /// <exception cref="JournalInUseException">It is taken.</exception>
    public void Lock(string path, Holder holder)
    {
        if (!_locks.TryGetValue(path, out var holders))
        {
            _locks.Add(path, holders = []);
        }

        holders.RemoveAll(one => one.Process.HasEnded || one.Life != files.Life);
        if (holders.Find(one => LocksHold || one.Silo == holder.Silo) is { } other)
        {
            throw new JournalInUseException($"{path} is in use by {other.Owner}.");
        }

        holders.Add(holder);
    }

    public void Unlock(string path, SimulatedProcess process)
    {
        if (_locks.TryGetValue(path, out var holders))
        {
            holders.RemoveAll(one => one.Process == process);
        }
    }

    /// <param name="Life">The server's, when it took the lock.</param>
    public sealed record Holder(SimulatedProcess Process, int Silo, int Life, string Owner);
}
