using Orleans.Consensus.Simulation.Clusters;
using Orleans.Consensus.Simulation.Disks;
using Orleans.Consensus.Simulation.Scenarios;

namespace Orleans.Consensus.Simulation.Faults;

/// <summary>
/// Everything that goes wrong with disks. Each operation takes some time also when all is well, so that whatever
/// happens can happen in the middle of it.
/// </summary>
internal sealed class DiskFaults(SimulatedCluster cluster, Random random)
{
    private readonly Dictionary<int, PlannedFault> _failing = [];
    private readonly Dictionary<int, int> _slowness = [];
    private readonly Dictionary<int, int> _writesToCrash = [];

    /// <summary>Called in the middle of a write that a crash has been planned for.</summary>
    public required Action<int> Crashed { get; init; }

    /// <summary>A new disk for a silo.</summary>
    public FaultyFiles Add(int silo)
    {
        var disk = new FaultyFiles(new(random.Next()));
        disk.Plan = operation => DecideAsync(silo, operation);
        cluster.Disks[silo] = disk;
        return disk;
    }

    public async Task StrikeAsync(PlannedFault fault, Random details)
    {
        var silo = fault.Silo;
        switch (fault.Kind)
        {
            case FaultKind.FullDisk when cluster.DiskOf(silo) is FaultyFiles disk:
                disk.Room = disk.BytesUsed;
                await LastAsync(fault);
                disk.Room = long.MaxValue;
                break;
            case FaultKind.SlowDisk:
                _slowness[silo] = details.Next(2, 80);
                await LastAsync(fault);
                _slowness.Remove(silo);
                break;
            default:
                _failing[silo] = fault;
                _slowness[silo] = details.Next(2, 20);
                await LastAsync(fault);
                _failing.Remove(silo);
                _slowness.Remove(silo);
                break;
        }
    }

    /// <summary>The power goes in the middle of one of the next writes of a silo.</summary>
    public void CrashInWrite(int silo, int writes) => _writesToCrash[silo] = writes;

    /// <summary>The power stays on after all.</summary>
    public void Disarm(int silo) => _writesToCrash.Remove(silo);

    private Task LastAsync(PlannedFault fault) => cluster.PassAsync(fault.Lasts.TotalMilliseconds);

    private async ValueTask<FileFault> DecideAsync(int silo, FileOperation operation)
    {
        var isWrite = operation.Action is FileAction.Write or FileAction.Flush or FileAction.WriteAndFlush;
        if (operation.Action is FileAction.WriteAndFlush or FileAction.Read || _slowness.ContainsKey(silo))
        {
            var slowness = _slowness.GetValueOrDefault(silo);
            await cluster.PassAsync(slowness == 0 ? random.Next(20, 400) / 1000.0 : random.Next(1, slowness));
        }

        if (isWrite && _writesToCrash.TryGetValue(silo, out var left))
        {
            _writesToCrash[silo] = left - 1;
            if (left == 0)
            {
                _writesToCrash.Remove(silo);
                Crashed(silo);
                return FileFault.Crash;
            }
        }

        if (!_failing.TryGetValue(silo, out var fault) || operation.Action is FileAction.Lock)
        {
            return FileFault.None;
        }

        var isUnreadable = fault.Seed % 3 == 0;
        var strikes = fault.Kind == FaultKind.FailingDisk
            ? !isUnreadable || operation.Action is FileAction.Read
            : operation.Action is FileAction.Flush or FileAction.WriteAndFlush or FileAction.FlushDirectory;
        return strikes && random.Next(100) < 2 + (fault.Seed % 60) ? FileFault.Fail : FileFault.None;
    }
}
