using Orleans.Consensus.Codec;
using Orleans.Consensus.Engines;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Simulation.Clusters;
using Orleans.Consensus.Simulation.Disks;
using Orleans.Consensus.Simulation.Kernel;
using Orleans.Consensus.Simulation.Linearizability;

namespace Orleans.Consensus.Simulation.Runs;

/// <summary>
/// One cluster, its clients and its misfortunes, all from one seed. What went wrong is in <see cref="Problems"/>.
/// </summary>
internal sealed class ChaosRun
{
    private const int ClientsPerSilo = 3;

    private static readonly string[] Keys = ["a", "b", "c"];

    private readonly Dictionary<(RegisterId, Ballot), RegisterVersion> _proposed = [];
    private readonly ChaosHistory _history = new();
    private readonly List<string> _events = [];
    private readonly SimulatedCluster _cluster;
    private readonly ChaosFaults _faults;
    private readonly Random _random;
    private readonly int _silos;

    public ChaosRun(int seed, Action<SimulatedCluster>? sabotage = null)
    {
        _random = new(seed);
        var replicas = seed % 3 == 0 ? 5 : 3;
        _silos = replicas + _random.Next(2);
        _cluster = new(replicas, seed) { JournalOptions = new() { FirstSegmentBytes = 8192, SegmentBytes = 16384 } };
        _cluster.Settings = _cluster.Settings with
        {
            RequestTimeout = TimeSpan.FromSeconds(3),
            RoundTimeout = TimeSpan.FromMilliseconds(400),
            ValueCacheBytes = 2048,
            PromiseCacheSize = 64,
        };
        for (var silo = 0; silo < replicas; silo++)
        {
            _cluster.Disks[silo] = new FaultyFiles(new(_random.Next()));
        }

        sabotage?.Invoke(_cluster);
        _faults = new(_cluster, _silos, _random, Log);
    }

    public IReadOnlyList<string> Problems => _history.Problems;

    /// <summary>What happened to the cluster, for people.</summary>
    public IReadOnlyList<string> Events => _events;

    public IEnumerable<Operation> Operations => _history.All;

    /// <summary>Equal for two runs of one seed.</summary>
    public (long Tasks, int Messages, DateTimeOffset End) Fingerprint =>
        (_cluster.Scheduler.Executed, _cluster.Network.Sent, _cluster.Scheduler.Time.GetUtcNow());

    public ChaosRun Execute()
    {
        try
        {
            _cluster.Run(PlayAsync, TimeSpan.FromMinutes(10));
            _history.Check();
        }
        catch (Exception exception)
        {
            _history.Problems.Add($"The run ended with {exception}");
        }

        return this;
    }

    private void Log(string what) => _events.Add($"{_cluster.Scheduler.Time.GetUtcNow():mm:ss.fff} {what}");

    private async Task PlayAsync()
    {
        for (var silo = 0; silo < _silos; silo++)
        {
            await _cluster.StartAsync(silo);
        }

        _faults.Install();
        WatchAccepts();
        _faults.Begin();
        await Task.WhenAll(Enumerable.Range(0, _silos * ClientsPerSilo).Select(client => WorkAsync(client % _silos)));
        await _faults.HealAsync();
        Log("healed");
        await ReadEverythingAsync();
        await StopEverythingAsync();
        await InspectLogsAsync();
    }

    private async Task WorkAsync(int silo)
    {
        var key = Keys[_random.Next(Keys.Length)];
        var client = new ChaosClient(_history, _cluster, silo, key, new(_random.Next()));
        var until = _cluster.Scheduler.Time.GetUtcNow() + TimeSpan.FromSeconds(20);
        while (!_history.IsFull(key) && _cluster.Scheduler.Time.GetUtcNow() < until)
        {
            await client.StepAsync();
            await _cluster.PassAsync(_random.Next(1, 900));
        }
    }

    /// <summary>No two values are ever proposed at one ballot (S1).</summary>
    private void WatchAccepts()
    {
        var decide = _cluster.Network.OnSend;
        _cluster.Network.OnSend = (from, to, batch) =>
        {
            foreach (var (register, request) in batch.Requests)
            {
                if (request is Accept accept
                    && !_proposed.TryAdd((register, accept.Ballot), accept.Value.Version)
                    && _proposed[(register, accept.Ballot)] != accept.Value.Version)
                {
                    _history.Problems.Add($"Two values were proposed for {register} at {accept.Ballot}.");
                }
            }

            return decide(from, to, batch);
        };
    }

    /// <summary>Once the faults are over, every silo reads every register, soon.</summary>
    private async Task ReadEverythingAsync()
    {
        var until = _cluster.Scheduler.Time.GetUtcNow() + TimeSpan.FromSeconds(45);
        foreach (var (silo, key) in Enumerable.Range(0, _silos).SelectMany(silo => Keys.Select(key => (silo, key))))
        {
            ChangeResult result;
            int invoked;
            do
            {
                invoked = _history.Tick();
                result = await _cluster.ReadAsync(silo, key);
            }
            while (result is not ChangeResult.Found && _cluster.Scheduler.Time.GetUtcNow() < until);

            if (result is not ChangeResult.Found found)
            {
                _history.Problems.Add($"Silo {silo} can't read register {key} after the faults: {Describe(result)}");
                continue;
            }

            var seen = found.Value is { IsTombstone: false } value ? value.Version : (RegisterVersion?)null;
            var read = new Operation(OperationKind.Read, default, null, [], invoked);
            _history.Begin(key, read with { Returned = _history.Tick(), Ending = Ending.Found, Seen = seen });
        }
    }

    private static string Describe(ChangeResult result) =>
        result is ChangeResult.NotApplied none ? $"{none.Reason}: {string.Join("; ", none.Answers)}" : $"{result}";

    private async Task StopEverythingAsync()
    {
        for (var silo = 0; silo < _silos; silo++)
        {
            await _cluster.StopAsync(silo);
        }

        await _cluster.PassAsync(60_000);
        if (_cluster.Scheduler.Time.Pending > 0)
        {
            _history.Problems.Add($"{_cluster.Scheduler.Time.Pending} timers are left behind.");
        }
    }

    /// <summary>No two values were ever accepted at one ballot, and every log can be read to its end.</summary>
    private async Task InspectLogsAsync()
    {
        var accepted = new Dictionary<(RegisterId, Ballot), RegisterVersion>();
        foreach (var (index, replica) in _cluster.Replicas.Members.Index())
        {
            await using var journal = await _cluster.OpenLogAsync(index, replica, (kind, position, record) =>
            {
                var reader = new ByteReader(record);
                if (kind == AcceptorRecords.AcceptKind
                    && AcceptorRecords.TryReadPromise(ref reader, out _, out var register, out _)
                    && AcceptorRecords.TryReadAccepted(ref reader, position, out var ballot, out var value)
                    && !accepted.TryAdd((register, ballot), value!.Version)
                    && accepted[(register, ballot)] != value.Version)
                {
                    _history.Problems.Add($"Two values were accepted for {register} at {ballot}.");
                }
            });
        }
    }
}
