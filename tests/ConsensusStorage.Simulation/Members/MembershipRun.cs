using System.Collections.Immutable;
using Orleans.Consensus.Simulation.Documents;
using Orleans.Consensus.Simulation.Faults;
using Orleans.Consensus.Simulation.Kernel;
using Orleans.Consensus.Simulation.Linearizability;
using Orleans.Consensus.Simulation.Oracles;
using Orleans.Consensus.Simulation.Runs;
using Orleans.Consensus.Simulation.Scenarios;

namespace Orleans.Consensus.Simulation.Members;

/// <summary>
/// A cluster whose membership is in documents: processes that run the shipped table over simulated places, with their
/// misfortunes, all from one scenario, under the eyes of the oracles. Single-threaded; two runs of one scenario are the
/// same to the byte.
/// </summary>
internal sealed class MembershipRun : IScenarioRun
{
    public static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan LongestFormation = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan LongestLoad = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LongestHealing = TimeSpan.FromSeconds(45);

    /// <summary>A call reads and then changes, and begins each in its own time.</summary>
    private static readonly TimeSpan LongestCall = 4 * RequestTimeout;

    /// <summary>A place that hangs does not answer for longer than anybody waits.</summary>
    private static readonly TimeSpan Hanging = RequestTimeout / 3;
    private static readonly TimeSpan BlobTimeOut = TimeSpan.FromMilliseconds(400);

    private readonly Scenario _scenario;
    private readonly SimulatedScheduler _scheduler = new();
    private readonly ImmutableArray<DocumentPlace> _places;
    private readonly ImmutableArray<SiloClock> _clocks;
    private readonly Dictionary<int, MemberProcess> _members = [];
    private readonly Dictionary<FaultKind, int> _faults = [];
    private readonly List<(SimulatedProcess Process, Task Work)> _clients = [];
    private readonly List<Task> _striking = [];
    private readonly List<string> _problems = [];
    private readonly HashSet<string> _seen = [];
    private readonly DocumentOracle _documents;
    private readonly DocumentFaults _placeFaults;
    private readonly MemberFaults _memberFaults;
    private readonly HashSet<int> _readers;
    private readonly Random _random;
    private DateTimeOffset _end = DateTimeOffset.MaxValue;
    private bool _areAllDue;
    private bool _isFormed;
    private int _lives;

    /// <param name="isTold">Whether somebody wants to read what happened.</param>
    /// <param name="sabotage">Stands between each process and its places: a negative control.</param>
    public MembershipRun(Scenario scenario, bool isTold = false, Action<DocumentPlace>? sabotage = null)
    {
        (_scenario, _random) = (scenario, new(scenario.Seed ^ 0x0DD5));
        _readers = [.. scenario.Clients.Where(client => client.Register > 0).Select(client => client.Silo)];
        Trace = new(_scheduler.Time, isTold);
        Tables = new(Violated);
        _documents = new(scenario.Replicas, Violated) { Chosen = Tables.Chosen, Shown = Tables.Shown };
        _clocks = [.. Enumerable.Range(0, scenario.Silos).Select(_ => new SiloClock(_scheduler.Time))];
        _places = [.. Enumerable.Range(0, scenario.Replicas).Select(CreatePlace)];
        var timeOut = scenario.IsTight ? Hanging : BlobTimeOut;
        _placeFaults = new(_places, timeOut, areDirectories: scenario.IsTight, _scheduler.Time, new(_random.Next()))
        {
            Name = MemberProcess.DocumentName,
            Emptied = Emptied,
            PutBack = PutBack,
            LostPower = LostPower,
            IsKnown = IsKnown,
        };
        _memberFaults = new(_scheduler, _members, _clocks, StartAsync);
        foreach (var place in _places)
        {
            sabotage?.Invoke(place);
        }
    }

    public IReadOnlyList<string> Problems => _problems;

    public TableOracle Tables { get; }

    public Trace Trace { get; }

    public TimeProvider Time => _scheduler.Time;

    public int Operations => Tables.Calls.Count;

    public IEnumerable<Ending> Endings => Tables.Calls.Select(call => (call.Outcome, call.Action) switch
    {
        (TableOutcome.Unknown, _) => Ending.Maybe,
        (TableOutcome.Refused, _) => Ending.Stale,
        (_, TableAction.ReadAll or TableAction.ReadRow or TableAction.Gateways) => Ending.Found,
        _ => Ending.Applied,
    });

    public IReadOnlyDictionary<FaultKind, int> Faults => _faults;

    public IReadOnlySet<string> Seen => _seen;

    /// <summary>Until all processes were ended.</summary>
    public TimeSpan Simulated { get; private set; }

    public (long Tasks, int Messages) Fingerprint => (_scheduler.Executed, _places.Sum(place => place.Requests));

    /// <summary>The clients may rest.</summary>
    public bool IsEnough =>
        (Operations >= _scenario.Profile.Operations && (_faults.Values.Sum() >= Scenario.LeastFaults || IsUsedUp))
        || Time.GetUtcNow() > _end;

    private bool IsUsedUp => _areAllDue && _striking.TrueForAll(static one => one.IsCompleted);

    public IScenarioRun Execute()
    {
        using var errors = new ErrorOracle(Violated);
        try
        {
            _scheduler.Run(PlayAsync, TimeSpan.FromMinutes(10));
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            Violated($"The run ended with {exception}");
        }

        return this;
    }

    /// <summary>Somebody has seen that the documents may be used.</summary>
    public void Formed() => _isFormed = true;

    /// <summary>Notes that something came about, for the statistics.</summary>
    public void Saw(string situation) => _seen.Add(situation);

    public void Violated(string what)
    {
        Trace.Add("VIOLATION", what);
        _problems.Add(what);
    }

    /// <summary>No call takes longer than its reads and changes may, each in its time.</summary>
    public void CheckTime(TableCall call, TimeSpan took, bool isUndisturbed)
    {
        var tries = call.Action == TableAction.Cleanup ? 5 : 1;
        if (isUndisturbed && took > LongestCall * tries)
        {
            Violated($"A call took too long, {took}: {call}");
        }
    }

    public string Tell(bool withMessages) => Trace.ToText(withMessages);

    private DocumentPlace CreatePlace(int number) => new(number, _scheduler.Time, new(_random.Next()))
    {
        Written = (process, name, bytes) =>
        {
            if (name == MemberProcess.DocumentName)
            {
                _documents.Written(process, number, bytes.Span);
            }
        },
        Flushed = name =>
        {
            if (name == MemberProcess.DocumentName)
            {
                _documents.Flushed(number);
            }
        },
        Heard = (request, fate, answer) =>
        {
            Trace.Add(Trace.Message, request, answer ?? fate);
            if (request.IsChange && _readers.Contains(request.Process))
            {
                Violated($"A client of the cluster wants to change a place: {request.What} {request.Name}.");
            }
        },
    };

    private void Emptied(int place)
    {
        Trace.Add("emptied place", place + 1);
        _documents.Emptied(place);
    }

    private void PutBack(int place)
    {
        Trace.Add("put back an older copy in place", place + 1);
        _documents.PutBack(place, _places[place].Find(MemberProcess.DocumentName)!.Value.Bytes.Span);
    }

    private void LostPower(int place, IReadOnlyList<string> documents)
    {
        Trace.Add("lost power", place + 1);
        if (documents.Contains(MemberProcess.DocumentName))
        {
            Trace.Add("lost a document that was not flushed", place + 1);
            Saw("a document that a loss of power took back");
            _documents.LostPower(place, (_places[place].Find(MemberProcess.DocumentName)?.Bytes ?? default).Span);
        }
    }

    private bool IsKnown(int place)
    {
        var tag = _places[place].Find(MemberProcess.DocumentName)?.Tag;
        return _members.Values.All(member => member.Process.HasEnded || member.Knows(place, tag));
    }

    private async Task PlayAsync()
    {
        var endFormation = _placeFaults.BeginFormation(_random);
        for (var number = 0; number < _scenario.Silos; number++)
        {
            await StartAsync(number);
        }

        var powerFails = _random.Next(30) * 10;
        for (var waited = 0; !_isFormed && waited < LongestFormation.TotalMilliseconds; waited += 10)
        {
            await PassAsync(10);
            if (waited == powerFails)
            {
                _placeFaults.LosePower(null);
            }
        }

        endFormation();
        if (!_isFormed)
        {
            await FormAsync();
        }

        _end = Time.GetUtcNow() + LongestLoad;
        await StrikeAsync();
        while (!IsEnough)
        {
            await PassAsync(50);
        }

        await HealAsync();
        Trace.Add("healed");
        await RestAsync();
        await UseEverythingAsync();
        await StopAsync();
    }

    /// <summary>Once all places are well, their documents soon have votes.</summary>
    private async Task FormAsync()
    {
        var visitor = new MemberProcess(
            _scheduler, _places, _scenario.Silos, ++_lives, new(Time), RequestTimeout, _scenario.IsTight, _random);
        var client = new MemberClient(this, visitor, 1, _random);
        var until = Time.GetUtcNow() + LongestHealing;
        await visitor.Process.RunAsync(() => UntilAsync("start", _ => client.FormAsync(() => IsOver(until)), until));
        visitor.Process.End();
    }

    private bool IsOver(DateTimeOffset until) => Time.GetUtcNow() > until;

    private async Task StartAsync(int number)
    {
        // Who does not remember what was said can't tell an older copy from what it should be (S13).
        while (_placeFaults.HasOlderCopy)
        {
            await PassAsync(20);
        }

        var random = new Random(_random.Next());
        var member = _members[number] = new(
            _scheduler, _places, number, ++_lives, _clocks[number], RequestTimeout, _scenario.IsTight, random);
        Trace.Add("started process", number);
        foreach (var planned in _scenario.Clients.Where(client => client.Silo == number))
        {
            var client = new MemberClient(this, member, planned.LongestPause, new(planned.Seed + _lives));
            var process = member.Process;
            _clients.Add((process, process.RunUntilEndAsync(() => WatchedAsync(client, planned))));
        }
    }

    private async Task WatchedAsync(MemberClient client, PlannedClient planned)
    {
        try
        {
            await Task.Delay(TimeSpan.FromMilliseconds(planned.Begin), Time);
            await client.WorkAsync(isSilo: planned.Register == 0);
        }
        catch (Exception exception)
        {
            Violated($"A call threw {exception}");
        }
    }

    private async Task StrikeAsync()
    {
        var begin = Time.GetUtcNow();
        foreach (var plan in _scenario.Faults)
        {
            await PassAsync((begin + plan.At - Time.GetUtcNow()).TotalMilliseconds);
            if (IsEnough)
            {
                break;
            }

            var (fault, random) = (new ActiveFault(plan, Felt), new Random(plan.Seed));
            Trace.Add("fault", plan);
            _striking.Add(fault.Kind.IsOfAccounts()
                ? _placeFaults.StrikeAsync(fault, random)
                : _memberFaults.StrikeAsync(fault, random));
        }

        _areAllDue = true;
    }

    private void Felt(PlannedFault plan)
    {
        Trace.Add("felt", plan);
        _faults[plan.Kind] = _faults.GetValueOrDefault(plan.Kind) + 1;
    }

    private async Task HealAsync()
    {
        await Task.WhenAll(_striking);
        foreach (var clock in _clocks)
        {
            (clock.Drift, clock.Offset) = (0, TimeSpan.Zero);
        }
    }

    /// <summary>Lets the calls that are under way come to an end.</summary>
    private async Task RestAsync()
    {
        var until = Time.GetUtcNow() + (5 * LongestCall);
        while (_clients.Any(client => !client.Work.IsCompleted))
        {
            if (Time.GetUtcNow() > until)
            {
                Violated("A call did not end in its time.");
                return;
            }

            await PassAsync(20);
        }
    }

    /// <summary>
    /// Once the faults are over, every silo can soon start again, read the table, and change it, and clients find it.
    /// </summary>
    private async Task UseEverythingAsync()
    {
        var until = Time.GetUtcNow() + LongestHealing;
        for (var number = 0; number < _scenario.Silos; number++)
        {
            var member = _members[number];
            var client = new MemberClient(this, member, 1, new(_random.Next()));
            await member.Process.RunAsync(async () =>
            {
                if (_readers.Contains(number))
                {
                    await UntilAsync("look for gateways", client.LookForGatewaysAsync, until);
                    return;
                }

                await UntilAsync("start", _ => client.FormAsync(() => IsOver(until)), until);
                await UntilAsync("change the table", client.ChangeOwnRowAsync, until);
                await UntilAsync("beat", client.BeatAsync, until);
                await UntilAsync("read the table", client.ReadAllAsync, until);
            });
        }
    }

    private async Task UntilAsync(string what, Func<CancellationToken, Task<bool>> call, DateTimeOffset until)
    {
        while (!await call(CancellationToken.None))
        {
            if (IsOver(until))
            {
                Violated($"After the faults nobody can {what}.");
                return;
            }

            await PassAsync(50);
        }
    }

    private async Task StopAsync()
    {
        Simulated = Time.GetElapsedTime(0);
        foreach (var member in _members.Values)
        {
            member.Process.End();
        }

        await PassAsync(60_000);
        if (_scheduler.Time.Pending > 0)
        {
            Violated($"{_scheduler.Time.Pending} timers are left behind.");
        }
    }

    private Task PassAsync(double milliseconds) => _scheduler.Time.Pass(TimeSpan.FromMilliseconds(milliseconds));
}
