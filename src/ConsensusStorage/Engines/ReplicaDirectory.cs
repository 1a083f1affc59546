using System.Collections.Immutable;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Transport;
using Orleans.Runtime;

namespace Orleans.Consensus.Engines;

/// <summary>Where a replica answers, and with which log.</summary>
internal readonly record struct ReplicaLocation(SiloAddress Silo, LogId Log);

/// <summary>
/// Finds the replicas of a store by asking the live silos what they host, and again whenever one is missing or gave a
/// wrong answer. Only replicas of one formation are used: a quorum has to name the same logs (S13). Thread-safe.
/// </summary>
internal sealed partial class ReplicaDirectory
{
    private static readonly TimeSpan DescribeTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly StoreSettings _settings;
    private readonly ITransport _transport;
    private readonly IMembershipView _membership;
    private readonly Func<StoreDescription> _local;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private readonly Dictionary<SiloAddress, KnownSilo> _silos = [];
    private readonly CancellationTokenSource _stop = new();
    private ImmutableArray<ReplicaLocation?> _locations;
    private volatile int _located;
    private ImmutableArray<LogId> _formation = [];
    private ImmutableArray<ReplicaId> _twice = [];
    private long _version = -1;
    private long _looks;

    public ReplicaDirectory(
        StoreSettings settings,
        ITransport transport,
        IMembershipView membership,
        Func<StoreDescription> local,
        TimeProvider time,
        ILogger logger)
    {
        _settings = settings;
        _transport = transport;
        _membership = membership;
        _local = local;
        _time = time;
        _logger = logger;
        _locations = [.. new ReplicaLocation?[settings.Replicas.Count]];
    }

    /// <summary>Whether enough replicas are known to try a round.</summary>
    public bool HasQuorum => _located >= Votes.QuorumOf(_settings.Replicas.Count);

    /// <summary>What each replica is able to do, in order, by what the silos said when they were asked last.</summary>
    public ImmutableArray<ReplicaStanding> Standings
    {
        get
        {
            lock (_lock)
            {
                return new ReplicaStandings(_settings.Replicas, _formation, Problem, _twice, OtherShape)
                {
                    Floats = _settings.Floats,
                }.Of(_silos);
            }
        }
    }

    /// <summary>Grows whenever <see cref="Standings"/> may have changed.</summary>
    public long Looks => Volatile.Read(ref _looks);

    /// <summary>There is no quorum without replicas that won't serve until an operator has acted.</summary>
    public bool IsBarred => Standings.Count(standing => standing.State != ConsensusReplicaState.Refused)
        < Votes.QuorumOf(_settings.Replicas.Count);

    /// <summary>Why there may be no quorum although silos answer, or null.</summary>
    public string? Problem { get; private set; }

    /// <summary>Beats whenever what is known has changed.</summary>
    public Pulse Changed { get; } = new();

    /// <summary>Beats whenever there is a quorum after a change, and only then: many may wait for it.</summary>
    public Pulse QuorumFound { get; } = new();

    /// <summary>The replicas of all silos, as they last described themselves.</summary>
    public ImmutableArray<(SiloAddress Silo, ReplicaDescription Replica)> Seen => Of(static _ => true);

    /// <summary>The same without the silos that gave no answer when asked last.</summary>
    public ImmutableArray<(SiloAddress Silo, ReplicaDescription Replica)> Answering => Of(static silo => !silo.Silent);

    /// <summary>This silo.</summary>
    public SiloAddress Local => _transport.Local;

    /// <summary>The version of the membership that this silo knows.</summary>
    public long MembershipVersion => _membership.Version;

    /// <summary>
    /// The silos that replicas which float can be on: all that stay in the cluster, but for those that say that they
    /// don't have this store.
    /// </summary>
    public ImmutableArray<SiloAddress> Candidates =>
        [.. _membership.StayingSilos.Where(silo => !Know(silo).HasNoStore)];

    /// <summary>Why silos that answer are not spoken to, or null.</summary>
    public string? OtherShape { get; private set; }

    /// <summary>Another silo that serves <paramref name="log"/> too, or refused because it did, or null.</summary>
    public SiloAddress? FindTwin(ReplicaId replica, LogId log) => Elsewhere(replica)
        .Where(seen => seen.Replica.Log == log && seen.Replica.State is ReplicaState.Serving or ReplicaState.Refused)
        .Select(seen => seen.Silo)
        .FirstOrDefault();

    /// <summary>Whether the logs of a quorum have been seen: they exist.</summary>
    public bool IsFormed => !_formation.IsEmpty;

    /// <summary>What other silos say that have a replica's log open, or are opening it.</summary>
    public IEnumerable<ReplicaDescription> HoldersElsewhere(ReplicaId replica) => Elsewhere(replica)
        .Select(seen => seen.Replica)
        .Where(other => other.State is ReplicaState.Opening or ReplicaState.Forming or ReplicaState.Serving);

    public ReplicaLocation? Locate(int replica) => _locations[replica];

    /// <summary>What a silo said last.</summary>
    public KnownSilo Know(SiloAddress silo)
    {
        lock (_lock)
        {
            return _silos.GetValueOrDefault(silo, KnownSilo.Nothing);
        }
    }

    /// <summary>A replica there gave no or a wrong answer: ask before using it again.</summary>
    public void Suspect(ReplicaLocation location)
    {
        lock (_lock)
        {
            if (_silos.TryGetValue(location.Silo, out var known))
            {
                _silos[location.Silo] = known with { Replicas = [] };
                Recompute();
            }
        }

        Nudge();
    }

    /// <summary>Looks at once instead of after a pause.</summary>
    public void Nudge() => _wake.Writer.TryWrite(true);

    public void Stop()
    {
        _stop.Cancel();
        _wake.Writer.TryComplete();
    }

    /// <summary>Works until <see cref="Stop"/>.</summary>
    public async Task RunAsync()
    {
        var watching = WatchMembershipAsync();
        using var timer = _time.CreateTimer(
            _ => Nudge(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        var pause = ShortestPause;
        Nudge();
        while (await _wake.Reader.WaitToReadAsync())
        {
            _wake.Reader.TryRead(out _);
            Refresh();
            if (_located < _settings.Replicas.Count)
            {
                timer.Change(pause, Timeout.InfiniteTimeSpan);
            }

            // A store that forms, or a replica that just opens, is worth asking again soon; a missing one is not.
            var soon = _located == _settings.Replicas.Count
                || Seen.Any(seen => seen.Replica.State is ReplicaState.Opening or ReplicaState.Forming);
            pause = soon ? ShortestPause : pause * 2 < LongestPause ? pause * 2 : LongestPause;

            // Many may call at once: let a moment pass, so that a dead replica is not asked for in a hot loop.
            await Task.Delay(ShortestPause, _time);
        }

        await watching;
    }

    /// <summary>Asks all live silos now; completes when all have answered or had their time.</summary>
    public Task RefreshAllAsync() => RefreshAsync(_membership.LiveSilos);

    public Task RefreshAsync(IEnumerable<SiloAddress> silos) => Task.WhenAll(silos.Select(DescribeAsync));

    /// <summary>The same of the silos that host replicas, as far as is known.</summary>
    public Task RefreshHostsAsync()
    {
        SiloAddress[] hosts;
        lock (_lock)
        {
            hosts = [.. _silos.Where(silo => !silo.Value.Told.IsEmpty).Select(silo => silo.Key)];
        }

        return Task.WhenAll(hosts.Select(DescribeAsync));
    }

    private ImmutableArray<(SiloAddress Silo, ReplicaDescription Replica)> Of(Func<KnownSilo, bool> which)
    {
        lock (_lock)
        {
            return [.. _silos.Where(silo => which(silo.Value))
                .SelectMany(silo => silo.Value.Replicas, (silo, replica) => (silo.Key, replica))];
        }
    }

    private IEnumerable<(SiloAddress Silo, ReplicaDescription Replica)> Elsewhere(ReplicaId replica) =>
        Answering.Where(seen => !seen.Silo.Equals(Local) && seen.Replica.Replica == replica);

    private async Task WatchMembershipAsync()
    {
        try
        {
            while (true)
            {
                await _membership.ChangedAsync(_stop.Token);
                Nudge();
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Stopping.
        }
        catch (Exception exception)
        {
            // Replicas that are looked for among the silos of yesterday are not found.
            _wake.Writer.TryComplete(exception);
            throw;
        }
    }

    private void Refresh()
    {
        var live = _membership.LiveSilos;
        var version = _membership.Version;
        lock (_lock)
        {
            var gone = _silos.Keys.Where(silo => !live.Contains(silo)).ToList();
            gone.ForEach(silo => _silos.Remove(silo));
            if (gone.Count > 0)
            {
                Recompute();
            }
        }

        if (_version != version)
        {
            _version = version;
            Changed.Beat();
        }

        _ = RefreshAsync(live);
    }

    private async Task DescribeAsync(SiloAddress silo)
    {
        lock (_lock)
        {
            if (_silos.TryGetValue(silo, out var known) && known.Asking)
            {
                return;
            }

            _silos[silo] = (known ?? KnownSilo.Nothing) with { Asking = true };
        }

        ImmutableArray<ReplicaDescription>? replicas = null;
        bool? hasNoStore = null, isDone = null;
        string? why = null;
        try
        {
            using var timeout = new CancellationTokenSource(DescribeTimeout, _time);
            var description = silo.Equals(_transport.Local)
                ? _local()
                : await _transport.DescribeAsync(silo, _settings.Store, timeout.Token);
            replicas = OfThisStore(silo, description);
            (hasNoStore, isDone) = (description?.Shape != _settings.Shape, description?.IsDone);
        }
        catch (Exception exception)
        {
            why = exception is OperationCanceledException ? "no answer in time" : exception.Message;
            LogNoDescription(_logger, _settings.Store, silo, exception.Message);
        }

        lock (_lock)
        {
            if (_silos.TryGetValue(silo, out var known))
            {
                // A silo too busy to answer is not forgotten for that, unless another one has the same to offer.
                var isKept = replicas is not null || !OffersWhatAnotherDoes(silo, known);
                var now = new KnownSilo(
                    Asking: false,
                    Silent: replicas is null,
                    hasNoStore ?? known.HasNoStore,
                    replicas ?? (isKept ? known.Replicas : []))
                {
                    Told = replicas ?? (isKept ? known.Told : []),
                    WhySilent = why,
                    WasHeard = known.WasHeard || replicas is not null,
                    IsDone = isDone ?? known.IsDone,
                };
                _silos[silo] = now;
                if (!known.SaysTheSame(now))
                {
                    Recompute();
                }
            }
        }
    }

    private ImmutableArray<ReplicaDescription> OfThisStore(SiloAddress silo, StoreDescription? description)
    {
        if (description is not null && description.Shape != _settings.Shape)
        {
            OtherShape = $"silo {silo.ToParsableString()} is configured with {description.Shape}, this one with "
                + _settings.Shape;
            LogOtherShape(_logger, silo, description.Shape, _settings.Shape);
            return [];
        }

        return [.. (description?.Replicas ?? []).Where(replica => _settings.Replicas.IndexOf(replica.Replica) >= 0
            && (replica.Peers.IsEmpty || replica.Peers.Length == _settings.Replicas.Count)
            && (replica.Groups.IsEmpty || replica.Groups.Length == _settings.Groups))
            .Select(replica => replica.JudgedAt(_time.GetUtcNow()))];
    }

    private bool OffersWhatAnotherDoes(SiloAddress silo, KnownSilo known) => _silos.Any(
        other => !other.Key.Equals(silo)
            && other.Value.Replicas.Any(theirs => known.Told.Any(own => own.Replica == theirs.Replica)));

    private void Recompute()
    {
        var map = ReplicaMap.Of(_settings.Replicas, _silos, _formation);
        _formation = map.Formation;
        Report(map.HasConflict, map.Twice);
        var lost = map.Located < _located;
        _locations = map.Locations;
        _located = map.Located;
        Volatile.Write(ref _looks, _looks + 1);
        Changed.Beat();
        if (HasQuorum)
        {
            QuorumFound.Beat();
        }

        if (lost)
        {
            // Nobody may come to ask for it: look again until it is back.
            Nudge();
        }
    }

    /// <summary>
    /// A replica that two silos serve from one log is a copied disk, or a silo that died and is still in view: which
    /// of them has what was promised can't be told, so neither is used until one is gone.
    /// </summary>
    private void Report(bool conflict, ImmutableArray<ReplicaId> twice)
    {
        _twice = conflict ? [] : twice;
        if (!conflict)
        {
            Problem = twice.IsEmpty
                ? null
                : $"Replica {string.Join(", ", twice)} is served by two silos from the same log: its directory was "
                  + "copied, or one is about to be declared dead. Neither is used until one is gone.";
        }
        else if (Problem is null)
        {
            Problem = $"The silos of this cluster host two different stores that both call themselves "
                + $"{_settings.Shape}: probably two silos started alone without a replica list. Nothing is read or "
                + "written until only one is left. Give every silo the same Replicas and a ReplicaId of its own.";
            LogTwoFormations(_logger, Problem);
        }
    }

    [LoggerMessage(110, LogLevel.Debug, "Store {Store}: silo {Silo} does not say what it hosts: {Problem}")]
    private static partial void LogNoDescription(ILogger logger, string store, SiloAddress silo, string problem);

    [LoggerMessage(111, LogLevel.Error,
        "Silo {Silo} is configured with {Theirs}, this one with {Ours}. They can't work together: give all silos of a "
        + "store the same replicas and groups.")]
    private static partial void LogOtherShape(ILogger logger, SiloAddress silo, string theirs, string ours);

    [LoggerMessage(112, LogLevel.Critical, "{Problem}")]
    private static partial void LogTwoFormations(ILogger logger, string problem);
}
