using Orleans.Consensus.Journaling;
using Orleans.Consensus.Simulation.Clusters;
using Orleans.Consensus.Simulation.Disks;
using Orleans.Consensus.Simulation.Kernel;
using Orleans.Consensus.Simulation.Scenarios;

namespace Orleans.Consensus.Simulation.Faults;

/// <summary>Everything that happens to processes and machines: they end, stand still, and come back.</summary>
internal sealed class ProcessFaults(
    SimulatedCluster cluster, DiskFaults disks, Minority minority, Action<string, object?> log)
{
    private readonly HashSet<int> _starting = [];

    /// <summary>Called when a silo has started.</summary>
    public required Action<int> Started { get; init; }

    /// <summary>Replicas that have lost what they promised.</summary>
    public HashSet<int> Lost { get; } = [];

    public async Task StrikeAsync(ActiveFault fault, Random random)
    {
        if (fault.Kind == FaultKind.ServerCrash)
        {
            await AtAnyAwaitAsync(random);
            CrashServers(fault, random);
            return;
        }

        if (!cluster.Silos.ContainsKey(fault.Silo))
        {
            return;
        }

        switch (fault.Kind)
        {
            case FaultKind.Crash or FaultKind.Kill:
                await AtAnyAwaitAsync(random);
                await GoDownAsync(fault, random, killed: fault.Kind == FaultKind.Kill);
                break;
            case FaultKind.CrashInWrite:
                await CrashInWriteAsync(fault, random);
                break;
            case FaultKind.Restart:
                fault.Strike();
                await cluster.StopAsync(fault.Silo);
                await cluster.PassAsync(random.Next(0, 1000));
                await StartAsync(fault.Silo);
                break;
            case FaultKind.Pause:
                await PauseAsync(fault, random);
                break;
            case FaultKind.Zombie:
                await LiveOnAsync(fault, random);
                break;
            case FaultKind.Leave:
                await LeaveAsync(fault, random);
                break;
            default:
                await LoseReplicaAsync(fault, random);
                break;
        }
    }

    /// <summary>Power has failed in the middle of a change of the disk; the rest of the process goes with it.</summary>
    public void CrashedInWrite(ArmedCrash crash, FileAction action) => cluster.Scheduler.InterruptAfter(0, () =>
    {
        var silo = crash.Fault.Silo;
        if (disks.Shares is not null)
        {
            // The server's power, of which the silo only hears.
            log($"power fails in a {action} of server", silo % cluster.Replicas.Count);
            crash.Fault.Strike();
        }
        else if (!cluster.Processes[silo].HasEnded)
        {
            log($"power fails in a {action} of silo", silo);
            crash.Fault.Strike();
            cluster.Crash(silo);
            crash.Restarted = RestartLaterAsync(silo, 300);
        }
    });

    /// <summary>Starts a silo, again and again while its disk doesn't let it.</summary>
    public async Task StartAsync(int silo)
    {
        while (!cluster.Silos.ContainsKey(silo))
        {
            if (!_starting.Add(silo))
            {
                await cluster.PassAsync(20);
                continue;
            }

            try
            {
                // Its former life is declared dead at the latest when the next one begins.
                if (cluster.Addresses.TryGetValue(silo, out var former))
                {
                    cluster.Network.Remove(former);
                }

                await cluster.StartAsync(silo);
                log("started silo", silo);
                Started(silo);
            }
            catch (Exception exception) when (exception is JournalException or IOException)
            {
                log("start failed of silo", $"{silo}: {exception.Message}");
                cluster.Processes[silo].End();
                (cluster.DiskOf(silo) as FaultyFiles)?.Kill();
                await cluster.PassAsync(200);
            }
            finally
            {
                _starting.Remove(silo);
            }
        }
    }

    private void CrashServers(ActiveFault fault, Random random)
    {
        var servers = disks.Shares!.All;
        var isOne = random.Next(3) > 0;
        foreach (var (number, server) in servers.Index())
        {
            if (!isOne || number == fault.Silo % servers.Length)
            {
                server.Files.Crash();
            }
        }

        log("power fails", isOne ? $"of server {fault.Silo % servers.Length}" : "of all servers");
        fault.Strike();
    }

    private Task AtAnyAwaitAsync(Random random)
    {
        var now = new TaskCompletionSource();
        cluster.Scheduler.InterruptAfter(random.Next(60), now.SetResult);
        return now.Task;
    }

    private async Task CrashInWriteAsync(ActiveFault fault, Random random)
    {
        var ofNames = random.Next(4) == 0;
        var crash = new ArmedCrash(fault, random.Next(ofNames ? 4 : 6), ofNames);
        disks.Arm(crash);
        await cluster.PassAsync(ofNames ? 4000 : 1000);
        disks.Disarm(crash);
        await crash.Restarted;
    }

    private async Task GoDownAsync(ActiveFault fault, Random random, bool killed)
    {
        if (!cluster.Silos.ContainsKey(fault.Silo))
        {
            return;
        }

        var address = cluster.Addresses[fault.Silo];
        cluster.Crash(fault.Silo, killed);
        fault.Strike();
        if (random.Next(2) == 0)
        {
            await cluster.PassAsync(fault.Plan.Lasts.TotalMilliseconds * random.NextDouble());
            cluster.Network.Remove(address);
        }

        await cluster.PassAsync(fault.Plan.Lasts.TotalMilliseconds);
        await StartAsync(fault.Silo);
    }

    private async Task RestartLaterAsync(int silo, double milliseconds)
    {
        await cluster.PassAsync(milliseconds);
        await StartAsync(silo);
    }

    /// <summary>
    /// The process stands still and wakes up. If the others have declared it dead meanwhile, it works on for a moment,
    /// until it hears of that, and then ends, as Orleans does.
    /// </summary>
    private async Task PauseAsync(ActiveFault fault, Random random)
    {
        var process = cluster.Processes[fault.Silo];
        var address = cluster.Addresses[fault.Silo];
        process.Pause();
        fault.Strike();
        await cluster.PassAsync(fault.Plan.Lasts.TotalMilliseconds);
        if (random.Next(4) == 0)
        {
            // No call has so much time.
            await cluster.PassAsync(Runs.SeedRun.RequestTimeout.TotalMilliseconds);
        }

        var isDeclaredDead = random.Next(3) == 0;
        if (isDeclaredDead)
        {
            cluster.Network.Forget(address);
            await cluster.PassAsync(random.Next(1, 300));
        }

        process.Resume();
        log("woke up silo", fault.Silo);
        if (isDeclaredDead)
        {
            await cluster.PassAsync(random.Next(1, 300));
            if (!process.HasEnded)
            {
                await GoDownAsync(fault, random, killed: true);
            }
        }
    }

    /// <summary>
    /// The process stands still, and meanwhile others take over what it hosts. When it wakes up it works on for a while
    /// in the belief that nothing has happened; then it hears of its death, perhaps, and ends.
    /// </summary>
    private async Task LiveOnAsync(ActiveFault fault, Random random)
    {
        var process = cluster.Processes[fault.Silo];
        var address = cluster.Addresses[fault.Silo];
        process.Pause();
        cluster.Network.Freeze(address);
        fault.Strike();
        await cluster.PassAsync(random.Next(200));
        cluster.Network.Forget(address);
        await cluster.PassAsync(fault.Plan.Lasts.TotalMilliseconds);
        process.Resume();
        log("woke up dead silo", fault.Silo);
        await cluster.PassAsync(random.Next(50, 2500));
        if (random.Next(2) == 0)
        {
            cluster.Network.Thaw(address);
            await cluster.PassAsync(random.Next(1, 300));
        }

        if (!process.HasEnded)
        {
            await GoDownAsync(fault, random, killed: true);
        }
    }

    private async Task LeaveAsync(ActiveFault fault, Random random)
    {
        fault.Strike();
        try
        {
            await cluster.LeaveAsync(fault.Silo);
        }
        catch (IOException)
        {
            // It was killed while it left.
        }

        await cluster.PassAsync(fault.Plan.Lasts.TotalMilliseconds * random.NextDouble());
        await StartAsync(fault.Silo);
    }

    /// <summary>A disk rots or is lost, if the cluster can do without one more replica.</summary>
    private async Task LoseReplicaAsync(ActiveFault fault, Random random)
    {
        var silo = fault.Silo;
        if (silo >= cluster.Replicas.Count || !minority.TryBreak(silo))
        {
            return;
        }

        Lost.Add(silo);
        if (fault.Kind == FaultKind.BitFlip && random.Next(2) == 0)
        {
            FlipBit(fault, random, "under the running silo");
            return;
        }

        cluster.Crash(silo, killed: random.Next(2) == 0);
        if (fault.Kind == FaultKind.WipedDisk)
        {
            disks.Add(silo);
            fault.Strike();
        }
        else
        {
            FlipBit(fault, random, "of silo");
        }

        await cluster.PassAsync(fault.Plan.Lasts.TotalMilliseconds);
        await StartAsync(silo);
    }

    private void FlipBit(ActiveFault fault, Random random, string whose)
    {
        if (((FaultyFiles)cluster.DiskOf(fault.Silo)).FlipBit(random) is { } where)
        {
            log($"bit flipped {whose}", $"{fault.Silo}: {where}");
            fault.Strike();
        }
    }
}
