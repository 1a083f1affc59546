using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Orleans.Consensus.Diagnostics;

/// <summary>
/// The meter and activity source named <c>Orleans.Consensus</c>. One instance a silo; thread-safe. What each
/// instrument counts stands in the README as well.
/// </summary>
internal sealed class ConsensusInstruments : IDisposable
{
    public const string Name = "Orleans.Consensus";

    private static readonly ActivitySource Activities = new(Name);

    /// <summary>Seconds: from a write in memory to one that hardly finds a quorum.</summary>
    private static readonly InstrumentAdvice<double> Durations = new()
    {
        HistogramBucketBoundaries =
        [
            0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
        ],
    };

    private static readonly InstrumentAdvice<int> Sizes = new()
    {
        HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024],
    };

    private readonly List<IStoreGauges> _stores = [];
    private readonly Meter _meter;
    private readonly Counter<long> _rounds;
    private readonly Counter<long> _conflicts;
    private readonly Counter<long> _changes;
    private readonly Counter<long> _inDoubt;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _failures;
    private readonly Counter<long> _takeOvers;
    private readonly Counter<long> _fenced;
    private readonly Counter<long> _appendsInDoubt;
    private readonly Histogram<double> _changeDuration;
    private readonly Histogram<int> _messageBatch;
    private readonly Histogram<int> _logBatch;
    private readonly Histogram<double> _flushDuration;

    /// <param name="silo">
    /// Its name tags the meter: silos of one process are told apart, and go on being measured when one of them ends.
    /// </param>
    public ConsensusInstruments(IMeterFactory? factory = null, string? silo = null)
    {
        var options = new MeterOptions(Name) { Tags = silo is null ? null : [new("silo", silo)] };
        _meter = factory?.Create(options) ?? new Meter(options);
        _rounds = _meter.CreateCounter<long>(
            "consensus.rounds", "{round}", "Rounds of the protocol by outcome and round trips.");
        _conflicts = _meter.CreateCounter<long>(
            "consensus.conflicts", "{conflict}", "Rounds that a higher ballot stopped.");
        _changes = _meter.CreateCounter<long>(
            "consensus.changes", "{change}", "Reads, writes and clears by outcome.");
        _inDoubt = _meter.CreateCounter<long>(
            "consensus.in_doubt", "{change}", "Changes whose outcome stayed unknown.");
        _refused = _meter.CreateCounter<long>(
            "consensus.replica.refused", "{request}", "Requests that a hosted replica refused, by reason.");
        _failures = _meter.CreateCounter<long>(
            "consensus.replica.failures",
            "{failure}",
            "Logs of hosted replicas that failed, were lost to another owner, or are damaged.");
        _takeOvers = _meter.CreateCounter<long>(
            "consensus.replica.takeovers", "{takeover}", "Logs of floating replicas that this silo took over.");
        _fenced = _meter.CreateCounter<long>(
            "consensus.replica.fenced", "{replica}", "Hosted replicas whose log another silo took over.");
        _appendsInDoubt = _meter.CreateCounter<long>(
            "consensus.log.appends_in_doubt", "{append}", "Appends to blobs without an answer, by what came of them.");
        _changeDuration = _meter.CreateHistogram(
            "consensus.change.duration",
            "s",
            "Time from the call of a read, write or clear to its outcome.",
            advice: Durations);
        _messageBatch = _meter.CreateHistogram(
            "consensus.message.batch", "{request}", "Requests in one message to a replica.", advice: Sizes);
        _logBatch = _meter.CreateHistogram(
            "consensus.log.batch", "{record}", "Records in one append to a log.", advice: Sizes);
        _flushDuration = _meter.CreateHistogram(
            "consensus.log.flush.duration", "s", "Time of one append until it is durable.", advice: Durations);
        _meter.CreateObservableGauge(
            "consensus.replica.states",
            () => Measure(gauges => gauges.States),
            "{state}",
            "States that a hosted replica holds, cleared ones and those that were only read included.");
        _meter.CreateObservableGauge(
            "consensus.log.bytes", () => Measure(gauges => gauges.LogBytes), "By", "Size of a hosted replica's log.");
        _meter.CreateObservableGauge(
            "consensus.replica.lag",
            () => Measure(gauges => gauges.Lag),
            "s",
            "How much older a hosted replica's newest ballot is than the newest of its peers, where that is most.");
        _meter.CreateObservableGauge(
            "consensus.replicas.serving",
            () => Measure(gauges => gauges.Serving),
            "{replica}",
            "Replicas that this silo can use, of the group with the fewest.");
    }

    /// <summary>Measures a store, too, until what is returned is disposed of.</summary>
    public IDisposable Observe(IStoreGauges store)
    {
        lock (_stores)
        {
            _stores.Add(store);
        }

        return new Observation(this, store);
    }

    public static Activity? StartChange(string kind, string store) =>
        Activities.HasListeners()
            ? Activities.StartActivity("consensus " + kind)?.SetTag("consensus.store", store)
            : null;

    /// <summary>One round ended. <paramref name="trips"/> is 1 if it took one round trip, else 2.</summary>
    public void Round(string outcome, int trips) =>
        _rounds.Add(1, new("outcome", outcome), new("round_trips", trips));

    public void Conflict() => _conflicts.Add(1);

    public void Change(string kind, string outcome, TimeSpan duration)
    {
        _changes.Add(1, new("kind", kind), new("outcome", outcome));
        _changeDuration.Record(duration.TotalSeconds, new KeyValuePair<string, object?>("kind", kind));
    }

    public void InDoubt(string reason) => _inDoubt.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void MessageBatch(string replica, int requests) =>
        _messageBatch.Record(requests, new KeyValuePair<string, object?>("replica", replica));

    public void Flush(string replica, int records, TimeSpan duration)
    {
        var tag = new KeyValuePair<string, object?>("replica", replica);
        _logBatch.Record(records, tag);
        _flushDuration.Record(duration.TotalSeconds, tag);
    }

    public void Refused(string replica, string reason) =>
        _refused.Add(1, new("replica", replica), new("reason", reason));

    /// <summary>
    /// A replica stopped answering: its log failed, was lost to another owner (fenced), or is damaged.
    /// </summary>
    public void ReplicaFailed(string replica, string reason) =>
        _failures.Add(1, new("replica", replica), new("reason", reason));

    /// <summary>This silo took a replica's log over from another host, or from its own former life.</summary>
    public void TakeOver(string replica) => _takeOvers.Add(1, new KeyValuePair<string, object?>("replica", replica));

    /// <summary>Another silo took over a log that this one served from.</summary>
    public void Fenced(string replica) => _fenced.Add(1, new KeyValuePair<string, object?>("replica", replica));

    /// <summary>An append whose outcome was unknown at first: what it turned out to be.</summary>
    public void AppendInDoubt(string resolution) =>
        _appendsInDoubt.Add(1, new KeyValuePair<string, object?>("resolution", resolution));

    public void Dispose() => _meter.Dispose();

    private List<Measurement<T>> Measure<T>(Func<IStoreGauges, IEnumerable<Measurement<T>>> gauge)
        where T : struct
    {
        lock (_stores)
        {
            return [.. _stores.SelectMany(gauge)];
        }
    }

    private sealed class Observation(ConsensusInstruments instruments, IStoreGauges store) : IDisposable
    {
        public void Dispose()
        {
            lock (instruments._stores)
            {
                instruments._stores.Remove(store);
            }
        }
    }
}
