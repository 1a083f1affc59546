using Orleans.Consensus.Journaling;
using Orleans.Consensus.Simulation.Clusters;
using Orleans.Consensus.Simulation.Disks;
using Orleans.Consensus.Simulation.Kernel;
using Orleans.Consensus.Transport;
using Orleans.Runtime;

namespace Orleans.Consensus.Simulation.Runs;

/// <summary>
/// Everything that goes wrong in a run: one fault after the other, each for a while, several at a time. Any number of
/// silos may be down; nothing here is allowed to make an answer wrong.
/// </summary>
internal sealed class ChaosFaults(SimulatedCluster cluster, int silos, Random random, Action<string> log)
{
    private static readonly TimeSpan MaxSkew = TimeSpan.FromMinutes(25);

    private readonly HashSet<(SiloAddress, SiloAddress)> _cuts = [];
    private readonly HashSet<int> _starting = [];
    private readonly List<Task> _ongoing = [];
    private int _flakiness;
    private int _slowness;
    private bool _isOver;

    /// <summary>Hooks into the network and the disks.</summary>
    public void Install()
    {
        cluster.Network.OnSend = (_, _, _) => FateOfMessage();
        cluster.Network.IsCut = (from, to) => _cuts.Contains((from, to));
        cluster.Network.Latency = (_, _) => TimeSpan.FromMicroseconds(random.Next(1, 2000) * (1 + _slowness));
    }

    /// <summary>Lets things happen until <see cref="HealAsync"/>.</summary>
    public void Begin() => _ongoing.Add(RunAsync());

    /// <summary>Ends all faults and brings every silo back.</summary>
    public async Task HealAsync()
    {
        _isOver = true;
        await _ongoing[0];
        await Task.WhenAll(_ongoing);
        for (var silo = 0; silo < silos; silo++)
        {
            HealDisk(silo);
        }

        for (var silo = 0; silo < silos; silo++)
        {
            await StartAsync(silo);
        }
    }

    private async Task RunAsync()
    {
        while (!_isOver)
        {
            await cluster.PassAsync(random.Next(50, 900));
            _ongoing.Add(_isOver ? Task.CompletedTask : OneAsync());
        }
    }

    private Task OneAsync()
    {
        var silo = random.Next(silos);
        return random.Next(12) switch
        {
            0 or 1 => CrashAsync(silo, killed: false),
            2 => CrashAsync(silo, killed: true),
            3 => RestartAsync(silo),
            4 or 5 => PartitionAsync(silo),
            6 => FlakyAsync(),
            7 => SlowAsync(),
            8 => DiskAsync(silo, FailingDisk()),
            9 => DiskAsync(silo, SlowDisk()),
            10 => FullDiskAsync(silo),
            _ => JumpClock(silo),
        };
    }

    private async Task CrashAsync(int silo, bool killed)
    {
        if (!cluster.Silos.ContainsKey(silo))
        {
            return;
        }

        log($"{(killed ? "kill" : "crash")} {silo}");
        var address = cluster.Addresses[silo];
        cluster.Crash(silo, killed);
        var down = random.Next(10, 4000);
        var noticed = random.Next(0, 3000);
        await cluster.PassAsync(Math.Min(down, noticed));
        if (noticed <= down)
        {
            cluster.Network.Remove(address);
        }

        await cluster.PassAsync(Math.Abs(down - noticed));
        await StartAsync(silo);
        cluster.Network.Remove(address);
    }

    private async Task RestartAsync(int silo)
    {
        if (cluster.Silos.ContainsKey(silo))
        {
            log($"restart {silo}");
            await cluster.StopAsync(silo);
            await cluster.PassAsync(random.Next(0, 2000));
            await StartAsync(silo);
        }
    }

    /// <summary>Starts a silo, again and again while its disk doesn't let it.</summary>
    private async Task StartAsync(int silo)
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
                await cluster.StartAsync(silo);
                log($"started {silo}");
            }
            catch (Exception exception) when (exception is JournalException or IOException)
            {
                log($"start of {silo} failed: {exception.Message}");
                await cluster.PassAsync(200);
            }
            finally
            {
                _starting.Remove(silo);
            }
        }
    }

    private async Task PartitionAsync(int silo)
    {
        var cuts = new List<(SiloAddress, SiloAddress)>();
        foreach (var other in cluster.Addresses.Keys.Where(other => other != silo && random.Next(3) > 0))
        {
            var (here, there) = (cluster.Addresses[silo], cluster.Addresses[other]);
            cuts.AddRange(random.Next(3) switch
            {
                0 => [(here, there)],
                1 => [(there, here)],
                _ => [(here, there), (there, here)],
            });
        }

        log($"partition {silo}: {cuts.Count}");
        _cuts.UnionWith(cuts);
        await cluster.PassAsync(random.Next(100, 3000));
        _cuts.ExceptWith(cuts);
    }

    private async Task FlakyAsync()
    {
        var percent = random.Next(5, 50);
        log($"flaky {percent}");
        _flakiness += percent;
        await cluster.PassAsync(random.Next(100, 3000));
        _flakiness = Math.Max(0, _flakiness - percent);
    }

    private async Task SlowAsync()
    {
        var factor = random.Next(2) == 0 ? random.Next(20) : random.Next(400);
        log($"slow {factor}");
        _slowness += factor;
        await cluster.PassAsync(random.Next(100, 3000));
        _slowness = Math.Max(0, _slowness - factor);
    }

    private async Task DiskAsync(int silo, FilePlan plan)
    {
        if (cluster.DiskOf(silo) is FaultyFiles disk)
        {
            log($"disk {silo}");
            disk.Plan = plan;
            await cluster.PassAsync(random.Next(50, 2000));
            HealDisk(silo);
        }
    }

    private async Task FullDiskAsync(int silo)
    {
        if (cluster.DiskOf(silo) is FaultyFiles disk)
        {
            log($"full {silo}");
            disk.Room = disk.BytesUsed;
            await cluster.PassAsync(random.Next(50, 3000));
            HealDisk(silo);
        }
    }

    private void HealDisk(int silo)
    {
        if (cluster.DiskOf(silo) is FaultyFiles disk)
        {
            (disk.Plan, disk.Room) = (null, long.MaxValue);
        }
    }

    private Task JumpClock(int silo)
    {
        var offset = MaxSkew * ((random.NextDouble() * 2) - 1);
        log($"clock {silo} {offset}");
        cluster.ClockOf(silo).Offset = offset;
        return Task.CompletedTask;
    }

    private FilePlan FailingDisk()
    {
        var percent = random.Next(2, 60);
        return operation => new(
            random.Next(100) < percent && operation.Action is not FileAction.Lock ? FileFault.Fail : FileFault.None);
    }

    private FilePlan SlowDisk()
    {
        var longest = random.Next(2, 60);
        return async _ =>
        {
            await cluster.PassAsync(random.Next(1, longest));
            return FileFault.None;
        };
    }

    private Fate FateOfMessage() =>
        random.Next(100) >= Math.Min(_flakiness, 80)
            ? Fate.Deliver
            : random.Next(5) switch
            {
                0 => Fate.DropRequest,
                1 => Fate.DropReply,
                2 => Fate.Hang,
                3 => Fate.HangReply,
                _ => Fate.Twice,
            };
}
