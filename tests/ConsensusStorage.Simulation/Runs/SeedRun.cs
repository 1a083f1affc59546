using System.Text;
using Orleans.Consensus.Engines;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Simulation.Clusters;
using Orleans.Consensus.Simulation.Faults;
using Orleans.Consensus.Simulation.Kernel;
using Orleans.Consensus.Simulation.Linearizability;
using Orleans.Consensus.Simulation.Oracles;
using Orleans.Consensus.Simulation.Reminders;
using Orleans.Consensus.Simulation.Scenarios;
using Orleans.Consensus.Transport;

namespace Orleans.Consensus.Simulation.Runs;

/// <summary>
/// One cluster of shipped code with its clients and its misfortunes, all from one scenario, under the eyes of every
/// oracle. Single-threaded; two runs of one scenario are the same to the byte.
/// </summary>
internal sealed class SeedRun : IScenarioRun
{
    public const string FormedInPeace = "formed in peace";
    public const string FormedInTrouble = "formed in trouble";

    public static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan LongestLoad = TimeSpan.FromSeconds(60);

    /// <summary>Looks at queues until they have to be empty.</summary>
    private const int Looks = 50;

    /// <summary>A log may rest for two seconds until it tries an append again.</summary>
    private const int FloatingLooks = 3 * Looks;

    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(5);

    private readonly Scenario _scenario;
    private readonly SimulatedCluster _cluster;
    private readonly FaultInjector _faults;
    private readonly BoundsOracle _bounds;
    private readonly FightOracle _fights;
    private readonly ReminderLoad? _reminders;
    private readonly Sightings _sightings = new();
    private readonly HashSet<PaxosStore> _halted = [];
    private readonly Random _random;
    private readonly List<(SimulatedProcess Process, Task Work)> _clients = [];
    private int _lives;
    private DateTimeOffset _end = DateTimeOffset.MaxValue;

    /// <param name="isTold">Whether somebody wants to read what happened.</param>
    /// <param name="sabotage">Breaks the cluster on purpose: a negative control.</param>
    public SeedRun(Scenario scenario, bool isTold = false, Action<SimulatedCluster>? sabotage = null)
    {
        _scenario = scenario;
        _random = new(scenario.Seed ^ 0x0DD5);
        Histories = new(scenario.Capacities);
        _reminders = scenario.Profile.Subject == Subject.Reminders ? new(this) : null;
        _cluster = new(scenario.Replicas, scenario.Seed)
        {
            JournalOptions = new() { FirstSegmentBytes = 8192, SegmentBytes = 16384 },
        };
        _cluster.Settings = _cluster.Settings with
        {
            RequestTimeout = RequestTimeout,
            RoundTimeout = TimeSpan.FromMilliseconds(400),
            ValueCacheBytes = 2048,
            PromiseCacheSize = 64,
            MaxPromises = 2,
            Groups = scenario.Groups,
        };
        if (scenario.IsTight)
        {
            _cluster.Settings = _cluster.Settings with
            {
                RequestTimeout = 2 * _cluster.Settings.RoundTimeout,
                MaxPendingChanges = 3,

                // One register for each of its parts.
                PromiseCacheSize = 32,

                // Each replica may hold a ballot of its own that has to be beaten before the next one is heard of.
                MaxConflicts = scenario.Replicas,
                MaxQueuedBytes = 12 * 1024,
                MaxBatchBytes = 1024,
            };
        }

        CallTimeout = _cluster.Settings.RequestTimeout;
        Trace = new(_cluster.Scheduler.Time, isTold);
        sabotage?.Invoke(_cluster);
        _bounds = new(Violated);
        var journals = new JournalOracle(Violated) { Saw = Saw };
        var intercept = _cluster.Intercept;
        _fights = new(Time, Violated);
        _cluster.Intercept = (silo, store) => intercept(silo, _fights.Watch(silo, journals.Watch(silo, store)));
        _cluster.Network.Watch = new WireOracle(journals.OwnerOf, journals.Backs, scenario.Floats, Violated)
        {
            Saw = Saw,
            Heard = (from, to, batch, reply) =>
            {
                Trace.Add(Trace.Message, batch, reply);
                _sightings.Heard(batch, reply);
            },
        };
        _faults = new(_cluster, scenario, StartClients, (what, detail) => Trace.Add(what, detail))
        {
            Emptied = replica => journals.Emptied(_cluster.Replicas.Members[replica]),
        };
    }

    /// <summary>What was found wrong; the first is the one to look at.</summary>
    public List<string> Problems { get; } = [];

    public Histories Histories { get; }

    IReadOnlyList<string> IScenarioRun.Problems => Problems;

    /// <summary>Calls so far.</summary>
    public int Operations => Histories.Count + (_reminders?.Operations ?? 0);

    IEnumerable<Ending> IScenarioRun.Endings =>
        Histories.All.Select(operation => operation.Ending).Concat(_reminders?.Endings ?? []);

    public Trace Trace { get; }

    public TimeProvider Time => _cluster.Scheduler.Time;

    /// <summary>What a call may take, but for pauses of its process.</summary>
    public TimeSpan CallTimeout { get; }

    /// <summary>The clients may rest.</summary>
    public bool IsEnough =>
        (Operations >= _scenario.Profile.Operations && (_faults.Count >= Scenario.LeastFaults || _faults.IsUsedUp))
        || Time.GetUtcNow() > _end;

    /// <summary>Faults that struck, by kind.</summary>
    public IReadOnlyDictionary<FaultKind, int> Faults => _faults.Struck;

    /// <summary>Situations that came about.</summary>
    public IReadOnlySet<string> Seen => _sightings.All;

    /// <summary>Until all silos were stopped.</summary>
    public TimeSpan Simulated { get; private set; }

    /// <summary>Equal for two runs of one scenario.</summary>
    public (long Tasks, int Messages) Fingerprint => (_cluster.Scheduler.Executed, _cluster.Network.Sent);

    /// <summary>The register whose history can't be explained, or null.</summary>
    public int? Unexplained { get; private set; }

    public static RegisterId Register(int number) => SimulatedCluster.Register($"register{number}");

    public SeedRun Execute()
    {
        using var errors = new ErrorOracle(Violated);
        try
        {
            _cluster.Run(PlayAsync, TimeSpan.FromMinutes(10));
            Unexplained = Histories.FindUnexplained();
            if (Unexplained is { } register)
            {
                Violated($"The history of register {register} is not linearizable.");
            }
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            Violated($"The run ended with {exception}");
        }

        return this;
    }

    IScenarioRun IScenarioRun.Execute() => Execute();

    public void Violated(string what)
    {
        Trace.Add("VIOLATION", what);
        Problems.Add(what);
    }

    /// <summary>Notes that something came about, for the statistics.</summary>
    public void Saw(string situation) => _sightings.Add(situation);

    private async Task PlayAsync()
    {
        var starting = StartAllAsync();
        while (!_scenario.FormsInTrouble && !(starting.IsCompleted && IsFormed()))
        {
            await _cluster.PassAsync(10);
        }

        _end = Time.GetUtcNow() + LongestLoad;
        var looking = LookUntilEnoughAsync();
        await _faults.RunAsync(() => IsEnough);
        while (!IsEnough)
        {
            await _cluster.PassAsync(50);
        }

        await looking;
        await starting;
        await _faults.HealAsync();
        Trace.Add("healed");
        await RestAsync();
        await new Aftermath(this, _scenario, _cluster, _faults, _fights, _reminders, _random).LiveAsync();

        CheckBounds();
        await StopEverythingAsync();
        await InspectLogsAsync();
    }

    private async Task StartAllAsync()
    {
        for (var silo = 0; silo < _scenario.Silos; silo++)
        {
            await _faults.StartAsync(silo);
            if (_scenario.FormsInTrouble)
            {
                await _cluster.PassAsync(_random.Next(300));
            }
        }
    }

    private bool IsFormed() => IsServed(_scenario.Replicas);

    /// <summary>Whether so many replicas of every set of logs serve.</summary>
    private bool IsServed(int replicas) => Enumerable.Range(0, _cluster.Shards).All(shard => _cluster.Silos.Values
        .SelectMany(silo => silo.Targets.ElementAt(shard).Target.Describe().Replicas)
        .Where(one => one.State == ReplicaState.Serving)
        .DistinctBy(one => one.Replica)
        .Count() >= replicas);

    private void StartClients(int silo)
    {
        var (store, process, life) = (_cluster.Silos[silo], _cluster.Processes[silo], ++_lives);
        var table = _reminders?.TableOf(store, new(life));
        foreach (var planned in _scenario.Clients.Where(client => client.Silo == silo))
        {
            var random = new Random(planned.Seed + life);
            Func<Task> work = table is null
                ? new GrainClient(this, store, process, planned, random).WorkAsync
                : () => _reminders!.ClientOf(table, random).WorkAsync(planned.LongestPause);
            _clients.Add((process, process.RunUntilEndAsync(() => WatchedAsync(work))));
        }
    }

    public ICollection<int> SilosUp => _cluster.Silos.Keys;

    /// <summary>Lets a grain go on at a silo that is up.</summary>
    public void Migrate(GrainClient client, int silo)
    {
        var process = _cluster.Processes[silo];
        var moved = client.At(_cluster.Silos[silo], process);
        _clients.Add((process, process.RunUntilEndAsync(() => WatchedAsync(moved.WorkAsync))));
    }

    private async Task WatchedAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (Exception exception)
        {
            Violated($"A call threw {exception}");
        }
    }

    /// <summary>Lets the calls that are under way come to an end.</summary>
    private async Task RestAsync()
    {
        var until = Time.GetUtcNow() + (RequestTimeout * 2);
        while (_clients.Any(client => !client.Work.IsCompleted))
        {
            if (Time.GetUtcNow() > until)
            {
                Violated("A call did not end in its time.");
                return;
            }

            await _cluster.PassAsync(20);
        }

        LookAtLoads(_bounds.LookAfterTheCalls);
        var looks = _scenario.Floats ? FloatingLooks : Looks;
        for (var waited = 0; waited < looks && _cluster.Silos.Values.Any(store => !store.Load.IsIdle); waited++)
        {
            await _cluster.PassAsync(_cluster.Settings.RoundTimeout.TotalMilliseconds / 10);
        }

        LookAtLoads(_bounds.LookAtRest);
    }

    private async Task LookUntilEnoughAsync()
    {
        while (!IsEnough)
        {
            LookAtLoads();

            // As soon as anything can be acknowledged, a minority may be lost.
            if (!_faults.MayLose && IsServed(Votes.QuorumOf(_scenario.Replicas)))
            {
                _faults.MayLose = true;
                Saw(_faults.Count == 0 ? FormedInPeace : FormedInTrouble);
            }

            await _cluster.Scheduler.Time.Pass(BetweenLooks);
        }
    }

    private void LookAtLoads() => LookAtLoads((silo, load) => _bounds.Look(silo, _cluster.Settings, load));

    private void LookAtLoads(Action<int, StoreLoad> look)
    {
        foreach (var (silo, store) in _cluster.Silos)
        {
            look(silo, store.Load);
            if (store.Failure is { } failure && _halted.Add(store))
            {
                Violated($"A loop of silo {silo} has ended: {failure}");
            }
        }
    }

    private void CheckBounds()
    {
        LookAtLoads();
        _bounds.LookAtTasks(_cluster.Scheduler.LongestQueue);
        foreach (var (silo, disk) in _cluster.Disks)
        {
            if (disk is Disks.FaultyFiles files)
            {
                Saw(files.Torn > 0 ? "torn by a crash" : "not torn");
                _bounds.LookAtStorage($"disk of silo {silo}", files.BytesUsed);
            }
        }

        foreach (var (number, share) in _cluster.Shares?.All.Index() ?? [])
        {
            Saw(share.Files.Torn > 0 ? "torn by a crash" : "not torn");
            _bounds.LookAtStorage($"share of replica {number}", share.Files.BytesUsed);
        }

        foreach (var (number, account) in _cluster.Accounts?.All.Index() ?? [])
        {
            _bounds.LookAtStorage($"account of replica {number}", account.BytesUsed);
        }
    }

    private async Task StopEverythingAsync()
    {
        Simulated = Time.GetElapsedTime(0);
        for (var silo = 0; silo < _scenario.Silos; silo++)
        {
            await _cluster.StopAsync(silo);
        }

        await _cluster.PassAsync(60_000);
        if (_cluster.Scheduler.Time.Pending > 0)
        {
            Violated($"{_cluster.Scheduler.Time.Pending} timers are left behind.");
        }
    }

    /// <summary>
    /// Every log that was not lost can be read to its end, and yields what its replica held in memory.
    /// </summary>
    private async Task InspectLogsAsync()
    {
        for (var number = 0; number < _scenario.Replicas; number++)
        {
            for (var shard = 0; shard < _cluster.Shards && !_faults.Lost.Contains(number); shard++)
            {
                var index = new AcceptorIndex(_scenario.Groups);
                var replica = _cluster.Replicas[number];
                await using var journal = _scenario.Floats
                    ? await _cluster.OpenFloatingLogAsync(shard, replica, index.Replay)
                    : await _cluster.OpenLogAsync(number, replica, index.Replay);
            }
        }
    }

    /// <summary>The whole run in words.</summary>
    /// <param name="withMessages">Every message between silos, too.</param>
    public string Tell(bool withMessages)
    {
        var text = new StringBuilder();
        text.Append(Trace.ToText(withMessages));
        if (Unexplained is { } register)
        {
            text.AppendLine($"Register {register}, operation by operation:");
            foreach (var operation in Histories.Of(register))
            {
                text.AppendLine($"  {operation}");
            }
        }

        return text.ToString();
    }
}
