using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Orleans.Consensus.Diagnostics;

/// <summary>
/// The meter and activity source named <c>Orleans.Consensus</c>. One instance a silo; thread-safe. What each
/// instrument counts stands in the README.
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
        _rounds = _meter.CreateCounter<long>("consensus.rounds", "{round}");
        _conflicts = _meter.CreateCounter<long>("consensus.conflicts", "{conflict}");
        _changes = _meter.CreateCounter<long>("consensus.changes", "{change}");
        _inDoubt = _meter.CreateCounter<long>("consensus.in_doubt", "{change}");
        _refused = _meter.CreateCounter<long>("consensus.replica.refused", "{request}");
        _failures = _meter.CreateCounter<long>("consensus.replica.failures", "{failure}");
        _takeOvers = _meter.CreateCounter<long>("consensus.replica.takeovers", "{takeover}");
        _fenced = _meter.CreateCounter<long>("consensus.replica.fenced", "{replica}");
        _appendsInDoubt = _meter.CreateCounter<long>("consensus.log.appends_in_doubt", "{append}");
        _changeDuration = _meter.CreateHistogram("consensus.change.duration", "s", advice: Durations);
        _messageBatch = _meter.CreateHistogram("consensus.message.batch", "{request}", advice: Sizes);
        _logBatch = _meter.CreateHistogram("consensus.log.batch", "{record}", advice: Sizes);
        _flushDuration = _meter.CreateHistogram("consensus.log.flush.duration", "s", advice: Durations);
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
}
