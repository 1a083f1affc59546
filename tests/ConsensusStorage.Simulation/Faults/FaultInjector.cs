using Orleans.Consensus.Simulation.Clusters;
using Orleans.Consensus.Simulation.Disks;
using Orleans.Consensus.Simulation.Kernel;
using Orleans.Consensus.Simulation.Scenarios;

namespace Orleans.Consensus.Simulation.Faults;

/// <summary>
/// Lets the faults of a scenario happen when they are due, several at a time if need be. Any number of silos may be
/// down; nothing here is allowed to make an answer wrong.
/// </summary>
internal sealed class FaultInjector
{
    private readonly SimulatedCluster _cluster;
    private readonly Scenario _scenario;
    private readonly NetworkFaults _network;
    private readonly DiskFaults _disks;
    private readonly ProcessFaults _processes;
    private readonly ClockFaults _clocks;
    private readonly BlobFaults? _blobs;
    private readonly Minority _minority;
    private readonly Action<string, object?> _log;
    private readonly List<Task> _ongoing = [];
    private bool _areAllDue;

    public FaultInjector(
        SimulatedCluster cluster, Scenario scenario, Action<int> started, Action<string, object?> log)
    {
        var random = new Random(scenario.Seed ^ 0x5EED);
        _minority = new(scenario.Replicas);
        (_cluster, _scenario, _log) = (cluster, scenario, log);
        _network = new(cluster, new(random.Next()));
        _disks = new(cluster, new(random.Next()))
        {
            Crashed = (crash, action) => _processes!.CrashedInWrite(crash, action),
        };
        _clocks = new(cluster, _minority);
        _processes = new(cluster, _disks, _minority, log) { Started = started };
        for (var silo = 0; silo < scenario.Replicas && !scenario.Floats; silo++)
        {
            _disks.Add(silo);
        }

        if (scenario.Shares)
        {
            _disks.Add(cluster.Share(), scenario.LocksHold);
        }
        else if (scenario.Floats)
        {
            _blobs = new(cluster, cluster.Float(random.Next(6, 30)), new(random.Next()))
            {
                Emptied = replica => Emptied(replica),
            };
        }
    }

    /// <summary>Whether replicas may be lost for good by now.</summary>
    public bool MayLose
    {
        get => _minority.MayBreak;
        set => _minority.MayBreak = value;
    }

    /// <summary>Told of replicas whose storage accounts are emptied.</summary>
    public Action<int> Emptied { get; init; } = static _ => { };

    /// <summary>Faults that somebody felt, by kind.</summary>
    public Dictionary<FaultKind, int> Struck { get; } = [];

    public int Count { get; private set; }

    /// <summary>Replicas that are gone for good.</summary>
    public IReadOnlySet<int> Lost => _blobs?.Lost ?? _processes.Lost;

    /// <summary>All that was drawn has happened and is over: nobody will feel any of it for the first time.</summary>
    public bool IsUsedUp => _areAllDue && _ongoing.TrueForAll(static one => one.IsCompleted);

    /// <summary>Lets things happen until <paramref name="isOver"/>.</summary>
    public async Task RunAsync(Func<bool> isOver)
    {
        _network.BeginDelays();
        var begin = _cluster.Scheduler.Time.GetUtcNow();
        foreach (var fault in _scenario.Faults)
        {
            var wait = begin + fault.At - _cluster.Scheduler.Time.GetUtcNow();
            if (wait > TimeSpan.Zero)
            {
                await _cluster.PassAsync(wait.TotalMilliseconds);
            }

            if (isOver())
            {
                break;
            }

            _ongoing.Add(StrikeAsync(fault));
        }

        _areAllDue = true;
    }

    /// <summary>Waits for the faults to pass, sets the clocks right and brings every silo back.</summary>
    public async Task HealAsync()
    {
        await Task.WhenAll(_ongoing);
        for (var silo = 0; silo < _scenario.Silos; silo++)
        {
            _clocks.SetRight(silo);
        }

        for (var silo = 0; silo < _scenario.Silos; silo++)
        {
            await _processes.StartAsync(silo);
        }
    }

    /// <summary>Starts a silo as often as it takes.</summary>
    public Task StartAsync(int silo) => _processes.StartAsync(silo);

    private async Task StrikeAsync(PlannedFault plan)
    {
        var random = new Random(plan.Seed);
        var fault = new ActiveFault(plan, Note);
        _log("fault", plan);
        switch (fault.Kind)
        {
            case <= FaultKind.Flapping or FaultKind.WrongView or FaultKind.FlappingViews:
                await _network.StrikeAsync(fault, random);
                break;
            case FaultKind.LostAccount when !MayLose:
                break;
            case var kind when kind.IsOfAccounts():
                await _blobs!.StrikeAsync(fault, random);
                break;
            case FaultKind.ClockJump when Divide(fault, random) is { Count: > 0 } unbelieving:
                fault.Strike();
                await _network.HearOnlyAsync(fault, unbelieving);
                break;
            case FaultKind.ClockJump:
                fault.Strike();

                // A silo that hosts whatever comes must not be far off: it would spoil one replica after the other.
                _clocks.Jump(fault.Silo, _scenario.Floats ? 0 : _scenario.Profile.FarJumps, random);
                break;
            case FaultKind.ClockDrift:
                fault.Strike();
                _clocks.Drift(fault.Silo, random);
                break;
            case FaultKind.SlowDisk or FaultKind.FailingDisk or FaultKind.FailingFlush or FaultKind.FullDisk:
                await _disks.StrikeAsync(fault, random);
                break;
            default:
                await _processes.StrikeAsync(fault, random);
                break;
        }
    }

    /// <summary>Where replicas float, which silos have one changes all the time.</summary>
    private IReadOnlyCollection<int> Divide(ActiveFault fault, Random random) =>
        _scenario.Floats ? [] : _clocks.Divide(fault.Silo, random);

    private void Note(PlannedFault fault)
    {
        _log("felt", fault);
        Count++;
        Struck[fault.Kind] = Struck.GetValueOrDefault(fault.Kind) + 1;
    }
}
