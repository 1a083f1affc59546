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

    public ConsensusInstruments(IMeterFactory? factory = null)
    {
        _meter = factory?.Create(Name) ?? new Meter(Name);
        _rounds = _meter.CreateCounter<long>("consensus.rounds", "{round}");
        _conflicts = _meter.CreateCounter<long>("consensus.conflicts", "{conflict}");
        _changes = _meter.CreateCounter<long>("consensus.changes", "{change}");
        _inDoubt = _meter.CreateCounter<long>("consensus.in_doubt", "{change}");
        _refused = _meter.CreateCounter<long>("consensus.replica.refused", "{request}");
        _failures = _meter.CreateCounter<long>("consensus.replica.failures", "{failure}");
        _takeOvers = _meter.CreateCounter<long>("consensus.replica.takeovers", "{takeover}");
        _fenced = _meter.CreateCounter<long>("consensus.replica.fenced", "{replica}");
        _appendsInDoubt = _meter.CreateCounter<long>("consensus.log.appends_in_doubt", "{append}");
        _changeDuration = _meter.CreateHistogram<double>("consensus.change.duration", "s");
        _messageBatch = _meter.CreateHistogram<int>("consensus.message.batch", "{request}");
        _logBatch = _meter.CreateHistogram<int>("consensus.log.batch", "{record}");
        _flushDuration = _meter.CreateHistogram<double>("consensus.log.flush.duration", "s");
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
