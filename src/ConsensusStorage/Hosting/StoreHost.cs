using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Consensus.Diagnostics;
using Orleans.Consensus.Engines;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Journaling.Files;
using Orleans.Consensus.Transport;
using Orleans.Runtime;

namespace Orleans.Consensus.Hosting;

/// <summary>Where a set of logs is. A keyed service by the store's name takes the place of files.</summary>
/// <param name="logs">The store's name; where replicas float with a slash and the group's number behind it.</param>
internal delegate IJournalStore JournalStoreFactory(string logs, ConsensusStoreOptions options);

/// <summary>
/// One store of a silo from its options to its end: what applications see of it, and what the silo's lifecycle opens
/// and closes. Open once, close any number of times.
/// </summary>
internal sealed partial class StoreHost : IConsensusStore
{
    private readonly ConsensusStoreOptions _options;
    private readonly StoreSettings _settings;
    private readonly TransportTargets _targets;
    private readonly List<LateMembershipView> _views = [];
    private readonly PaxosStore _store;
    private readonly ConsensusInstruments _instruments;
    private readonly ILogger _logger;
    private IDisposable? _measured;
    private bool _closed;

    public StoreHost(string name, ConsensusStoreOptions options, IServiceProvider services)
    {
        _options = options;
        _settings = SettingsOf(name, options, services.GetRequiredService<IOptions<ClusterOptions>>().Value.ServiceId);
        _targets = services.GetRequiredService<TransportTargets>();
        _logger = services.GetRequiredService<ILogger<StoreHost>>();
        var time = StoreClock.Of(services);
        var silo = services.GetRequiredService<ILocalSiloDetails>();
        _instruments = services.GetRequiredService<ConsensusInstruments>();
        _store = new PaxosStore(
            _settings,
            JournalsOf(_settings, options, services, time),
            new(silo.ClusterId, silo.Name),
            services.GetRequiredService<ITransport>(),
            NewView,
            new(time, Random.Shared, TaskScheduler.Default),
            _instruments,
            services.GetRequiredService<ILoggerFactory>());

        IMembershipView NewView()
        {
            var view = new LateMembershipView(services.GetRequiredService<IMembershipView>(), silo.SiloAddress);
            _views.Add(view);
            return view;
        }
    }

    public string Name => _settings.Store;

    public int MaxStateBytes => _options.MaxStateBytes;

    public TimeSpan RequestTimeout => _options.RequestTimeout;

    public IConsensusEngine Engine => _store.Engine;

    /// <inheritdoc cref="PaxosStore.Failure"/>
    public Exception? Failure => _store.Failure;

    public Task<IReadOnlyList<ConsensusReplicaStatus>> GetStatusAsync(CancellationToken cancellationToken) =>
        _store.GetStatusAsync(cancellationToken);

    /// <inheritdoc cref="PaxosStore.LookAsync"/>
    public Task<StoreView> LookAsync(CancellationToken cancellationToken) => _store.LookAsync(cancellationToken);

    /// <summary>Opens the local log and takes messages from then on. Does not: wait for a quorum.</summary>
    /// <exception cref="OrleansConfigurationException">The log can't be used; the message says why.</exception>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        var replica = _settings.Local?.Name;
        if (_options.Replicas.Count == 0 && !_settings.Floats)
        {
            LogDevelopment(Name, Path.GetFullPath(_options.DataDirectory));
        }

        try
        {
            foreach (var (target, receiver) in _store.Targets)
            {
                _targets.Add(target, receiver);
            }

            await _store.StartAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is JournalException or IOException or UnauthorizedAccessException)
        {
            throw new OrleansConfigurationException(
                $"The silo can't start, because consensus store '{Name}' can't open the log of replica '{replica}': "
                + exception.Message,
                exception);
        }

        _measured = _instruments.Observe(_store.Gauges);
        var hosted = replica ?? (_settings.Floats ? "those that float here" : "none");
        LogOpened(Name, hosted, _settings.Replicas, _settings.Groups);
    }

    /// <summary>Looks for the replicas of other silos from now on.</summary>
    public void Join() => _views.ForEach(view => view.Open());

    /// <summary>Hands replicas that float over to the silos that stay.</summary>
    public Task LeaveAsync(CancellationToken cancellationToken) => _store.LeaveAsync(cancellationToken);

    /// <summary>Answers nothing more and closes the log.</summary>
    public async Task CloseAsync(CancellationToken cancellationToken)
    {
        if (_closed)
        {
            return;
        }

        _closed = true;
        _measured?.Dispose();
        foreach (var (target, receiver) in _store.Targets)
        {
            _targets.Remove(target, receiver);
        }

        await _store.StopAsync(cancellationToken);
        LogClosed(Name);
    }

    private static StoreSettings SettingsOf(string name, ConsensusStoreOptions options, string service)
    {
        var development = options.Replicas.Count == 0;
        var replicas = development ? [ConsensusStoreOptions.DevelopmentReplica] : options.Replicas;
        var floats = options.Placement == ConsensusPlacement.Floating;
        var local = floats ? null : development ? ConsensusStoreOptions.DevelopmentReplica : options.ReplicaId;
        return new()
        {
            Service = service,
            Store = name,
            Replicas = new(replicas.Select(replica => new ReplicaId(replica))),
            Local = local is null ? null : new ReplicaId(local),
            Floats = floats,
            Groups = options.Groups,
            RequestTimeout = options.RequestTimeout,
            RoundTimeout = options.RoundTimeout,
            MaxPendingChanges = options.MaxPendingChanges,
            MaxQueuedBytes = options.MaxQueuedBytesPerReplica,
            PromiseCacheSize = options.PromiseCacheSize,
            ValueCacheBytes = options.ValueCacheBytes,
            MaxBatchBytes = options.MaxBatchBytes,
        };
    }

    private static Func<string, IJournalStore> JournalsOf(
        StoreSettings settings, ConsensusStoreOptions options, IServiceProvider services, TimeProvider time)
    {
        if (services.GetKeyedService<JournalStoreFactory>(settings.Store) is { } factory)
        {
            return logs => factory(logs, options);
        }

        if (options.UsesBlobs)
        {
            return new BlobLogs(settings.Store, settings.Service, settings.Replicas, options, services, time).Of;
        }

        return logs => new FileJournalStore(
            new DiskFiles(),
            Path.Combine(Path.GetFullPath(options.DataDirectory), logs.Replace('/', Path.DirectorySeparatorChar)),
            JournalOptionsOf(options) with { YieldsToOtherClusters = settings.Floats },
            time,
            Random.Shared,
            isShared: settings.Floats);
    }

    /// <summary>A log batch may be as large as a full one and the largest state behind it.</summary>
    public static JournalOptions JournalOptionsOf(ConsensusStoreOptions options)
    {
        const int overhead = 1024 * 1024;
        var defaults = new JournalOptions();
        return defaults with
        {
            SegmentBytes = options.SegmentBytes,
            MaxBatchBytes = Math.Max(
                defaults.MaxBatchBytes, (2 * options.MaxBatchBytes) + options.MaxStateBytes + overhead),
        };
    }

    [LoggerMessage(100, LogLevel.Warning,
        "Consensus store {Store} has no Replicas configured: this silo keeps the only copy of its states "
            + "under {Directory}. This is for development; several silos need Replicas and a ReplicaId for each.")]
    private partial void LogDevelopment(string store, string directory);

    [LoggerMessage(101, LogLevel.Information,
        "Consensus store {Store} is open; hosted replica: {Replica}, replicas: {Replicas}, groups: {Groups}")]
    private partial void LogOpened(string store, string replica, ReplicaSet replicas, int groups);

    [LoggerMessage(102, LogLevel.Information, "Consensus store {Store} is closed")]
    private partial void LogClosed(string store);
}
