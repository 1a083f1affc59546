using System.Globalization;
using System.Text;
using Orleans.Consensus.Simulation.Linearizability;
using Orleans.Consensus.Simulation.Scenarios;

namespace Orleans.Consensus.Simulation.Runs;

/// <summary>What many runs of a profile saw together. Thread-safe.</summary>
internal sealed class Statistics(Profile profile)
{
    /// <summary>Seeds from which on every kind of fault has to have struck.</summary>
    private const int Many = 1_000;

    private const int LeastPercent = 1;

    private readonly Lock _lock = new();
    private readonly SortedDictionary<FaultKind, (int Seeds, long Times)> _faults = [];
    private readonly SortedDictionary<string, int> _situations = new(StringComparer.Ordinal);
    private readonly SortedDictionary<Ending, long> _endings = [];
    private int _fewestOperations = int.MaxValue;
    private int _fewestFaults = int.MaxValue;
    private TimeSpan _simulated;
    private long _tasks;
    private long _messages;

    public int Seeds { get; private set; }

    public long Operations { get; private set; }

    public long Faults { get; private set; }

    /// <summary>The seeds have not shown what their profile promises, which the exit code says.</summary>
    public bool IsMild => Seeds == 0 || Rare.Count > 0 || IsSmall;

    private bool IsSmall =>
        _fewestOperations < profile.Least.Operations || _fewestFaults < profile.Least.Faults;

    /// <summary>Kinds of fault of the profile that hardly any seed felt, of seeds enough to tell.</summary>
    public IReadOnlyList<FaultKind> Rare
    {
        get
        {
            lock (_lock)
            {
                return Seeds < Many ? [] : [.. Kinds.Where(kind => SeedsWith(kind) * 100L < Seeds * LeastPercent)];
            }
        }
    }

    /// <summary>Also those that never struck.</summary>
    private IEnumerable<FaultKind> Kinds => profile.Weights.Select(one => one.Kind).Union(_faults.Keys).Order();

    public void Add(IScenarioRun run)
    {
        lock (_lock)
        {
            Seeds++;
            Operations += run.Operations;
            _fewestOperations = Math.Min(_fewestOperations, run.Operations);
            _fewestFaults = Math.Min(_fewestFaults, run.Faults.Values.Sum());
            _simulated += run.Simulated;
            _tasks += run.Fingerprint.Tasks;
            _messages += run.Fingerprint.Messages;
            foreach (var (kind, times) in run.Faults)
            {
                var (seeds, all) = _faults.GetValueOrDefault(kind);
                _faults[kind] = (seeds + 1, all + times);
                Faults += times;
            }

            foreach (var situation in run.Seen)
            {
                _situations[situation] = _situations.GetValueOrDefault(situation) + 1;
            }

            foreach (var ending in run.Endings)
            {
                _endings[ending] = _endings.GetValueOrDefault(ending) + 1;
            }
        }
    }

    /// <summary>All of it, as a table for people.</summary>
    public string Tell(TimeSpan took)
    {
        lock (_lock)
        {
            var text = new StringBuilder();
            var invariant = CultureInfo.InvariantCulture;
            text.Append(invariant, $"{Seeds} seeds in {took.TotalSeconds:0.0} s ({Seeds / took.TotalSeconds:0.0}/s), ");
            text.AppendLine(invariant, $"{_simulated.TotalHours:0.0} simulated hours");
            text.AppendLine(
                invariant, $"{_messages} messages between silos, {_tasks} pieces of work between two awaits");
            text.AppendLine(invariant, $"{Operations} operations, at least {_fewestOperations} in a seed:");
            foreach (var (ending, times) in _endings)
            {
                text.AppendLine(invariant, $"  {ending,-34} {times,10}");
            }

            text.AppendLine(invariant, $"{Faults} faults, at least {_fewestFaults} in a seed:");
            foreach (var kind in Kinds)
            {
                var (seeds, times) = _faults.GetValueOrDefault(kind);
                text.AppendLine(invariant, $"  {kind,-34} {times,10}  in {Share(seeds),5} % of seeds");
            }

            if (Rare.Count > 0)
            {
                text.AppendLine(invariant, $"Below {LeastPercent} % of the seeds: {string.Join(", ", Rare)}");
            }

            if (IsSmall)
            {
                text.AppendLine(
                    invariant, $"Too little in a seed: {profile.Least} operations and faults are promised");
            }

            text.AppendLine("Situations:");
            foreach (var (situation, seeds) in _situations)
            {
                text.AppendLine(invariant, $"  {situation,-44}  in {Share(seeds),5} % of seeds");
            }

            return text.ToString();
        }
    }

    private int SeedsWith(FaultKind kind) => _faults.GetValueOrDefault(kind).Seeds;

    private string Share(int seeds) => (100.0 * seeds / Seeds).ToString("0.0", CultureInfo.InvariantCulture);
}
