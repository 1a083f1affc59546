using Orleans.Consensus.Simulation.Clusters;
using Orleans.Consensus.Simulation.Disks;
using Orleans.Consensus.Simulation.Scenarios;
using Orleans.Consensus.Simulation.Shares;

namespace Orleans.Consensus.Simulation.Faults;

/// <summary>
/// Everything that goes wrong with disks. Each operation takes some time also when all is well, so that whatever
/// happens can happen in the middle of it. Faults overlap, and each ends only itself.
/// </summary>
internal sealed class DiskFaults(SimulatedCluster cluster, Random random)
{
    private readonly List<ActiveFault> _failing = [];
    private readonly List<(ActiveFault Fault, int Slowness)> _slow = [];
    private readonly List<(ActiveFault Fault, FaultyFiles Disk, long Room)> _full = [];
    private readonly List<ArmedCrash> _crashes = [];

    /// <summary>Called in the middle of an operation that a crash has been planned for.</summary>
    public required Action<ArmedCrash, FileAction> Crashed { get; init; }

    /// <summary>The servers of shared directories, if these take the place of the silos' disks.</summary>
    public FileShares? Shares { get; private set; }

    /// <summary>The servers of shared directories may fail instead of disks from here on.</summary>
    public void Add(FileShares shares, bool locksHold)
    {
        Shares = shares;
        foreach (var (number, server) in shares.All.Index())
        {
            server.LocksHold = locksHold;
            server.Files.Plan = operation => DecideAsync(number, operation);
            server.Files.FoundFull = () => FoundFull(server.Files);
        }
    }

    /// <summary>A new disk for a silo.</summary>
    public FaultyFiles Add(int silo)
    {
        var disk = new FaultyFiles(new(random.Next()));
        disk.Plan = operation => DecideAsync(silo, operation);
        disk.FoundFull = () => FoundFull(disk);
        cluster.Disks[silo] = disk;
        return disk;
    }

    public async Task StrikeAsync(ActiveFault fault, Random details)
    {
        switch (fault.Kind)
        {
            case FaultKind.FullDisk:
                await FillAsync(fault);
                break;
            case FaultKind.SlowDisk:
                await SlowDownAsync(fault, details.Next(2, 80));
                break;
            default:
                _failing.Add(fault);
                await SlowDownAsync(fault, details.Next(2, 20));
                _failing.Remove(fault);
                break;
        }
    }

    /// <summary>The power goes in the middle of one of the next changes of a disk.</summary>
    public void Arm(ArmedCrash crash) => _crashes.Add(crash);

    /// <summary>The power stays on after all.</summary>
    public void Disarm(ArmedCrash crash) => _crashes.Remove(crash);

    private async Task FillAsync(ActiveFault fault)
    {
        if (DiskOf(fault) is { } disk)
        {
            var full = (fault, disk, disk.BytesUsed);
            _full.Add(full);
            Measure(disk);
            await LastAsync(fault);
            _full.Remove(full);
            Measure(disk);
        }
    }

    private void Measure(FaultyFiles disk) =>
        disk.Room = _full.Where(one => one.Disk == disk).Select(one => one.Room).DefaultIfEmpty(long.MaxValue).Min();

    private void FoundFull(FaultyFiles disk)
    {
        foreach (var (fault, _, _) in _full.Where(one => one.Disk == disk && one.Room < disk.BytesUsed))
        {
            fault.Strike();
        }
    }

    private async Task SlowDownAsync(ActiveFault fault, int slowness)
    {
        _slow.Add((fault, slowness));
        await LastAsync(fault);
        _slow.Remove((fault, slowness));
    }

    private Task LastAsync(ActiveFault fault) => cluster.PassAsync(fault.Plan.Lasts.TotalMilliseconds);

    private async ValueTask<FileFault> DecideAsync(int silo, FileOperation operation)
    {
        if (TimeFor(silo, operation.Action) is > 0 and var milliseconds)
        {
            await cluster.PassAsync(milliseconds);
        }

        if (_crashes.Find(one => PlaceOf(one.Fault) == silo && one.Hits(operation.Action)) is { } crash)
        {
            _crashes.Remove(crash);
            Crashed(crash, operation.Action);
            return FileFault.Crash;
        }

        if (_failing.Find(one => PlaceOf(one) == silo && Fails(one.Plan, operation.Action)) is not { } failing)
        {
            return FileFault.None;
        }

        failing.Strike();
        return FileFault.Fail;
    }

    private FaultyFiles? DiskOf(ActiveFault fault) => Shares is null
        ? cluster.DiskOf(fault.Silo) as FaultyFiles
        : Shares.All[PlaceOf(fault)].Files;

    /// <summary>Whose disk it is, or which server.</summary>
    private int PlaceOf(ActiveFault fault) => Shares is null ? fault.Silo : fault.Silo % Shares.All.Length;

    private double TimeFor(int silo, FileAction action)
    {
        var slow = 0;
        foreach (var (fault, slowness) in _slow)
        {
            if (PlaceOf(fault) == silo)
            {
                slow += random.Next(1, slowness);
                Felt(fault);
            }
        }

        return slow > 0 ? slow : action is FileAction.Read || action.ChangesDisk() ? random.Next(20, 400) / 1000.0 : 0;
    }

    /// <summary>A disk that fails is slow, too, but that is not what it is there for.</summary>
    private static void Felt(ActiveFault slow)
    {
        if (slow.Kind == FaultKind.SlowDisk)
        {
            slow.Strike();
        }
    }

    private bool Fails(PlannedFault fault, FileAction action)
    {
        var isUnreadable = fault.Seed % 3 == 0;
        var isMeant = fault.Kind == FaultKind.FailingDisk
            ? action is not FileAction.Lock && (!isUnreadable || action is FileAction.Read)
            : action is FileAction.Flush or FileAction.WriteAndFlush or FileAction.FlushDirectory;
        return isMeant && random.Next(100) < 2 + (fault.Seed % 60);
    }
}
