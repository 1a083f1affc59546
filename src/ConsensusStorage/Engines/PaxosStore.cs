using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orleans.Consensus.Diagnostics;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Transport;

namespace Orleans.Consensus.Engines;

/// <summary>
/// One silo's part of a consensus store: its engine, the replicas it hosts if any, and the loops that keep both going.
/// Start once, stop once.
/// </summary>
internal sealed partial class PaxosStore : IConsensusStore, IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan ShortPatience = TimeSpan.FromSeconds(2);

    private readonly ILogger _logger;
    private readonly StoreSettings _settings;
    private readonly StoreEnvironment _environment;
    private readonly Shard[] _shards;
    private readonly PaxosEngine _engine;
    private readonly StandingWatch _watch;
    private ImmutableArray<Task> _loops = [];

    /// <param name="journals">
    /// Where the logs of a set of logs are, by its name; null if this silo hosts no replicas.
    /// </param>
    /// <param name="membership">A view for each that watches it.</param>
    public PaxosStore(
        StoreSettings settings,
        Func<string, IJournalStore>? journals,
        JournalOwner owner,
        ITransport transport,
        Func<IMembershipView> membership,
        StoreEnvironment environment,
        ConsensusInstruments instruments,
        ILoggerFactory loggers)
    {
        _settings = settings;
        _environment = environment;
        var logger = loggers.CreateLogger("Orleans.Consensus");
        _logger = logger;
        _shards =
        [
            .. Enumerable.Range(0, settings.Shards).Select(number => new Shard(
                number,
                settings,
                journals,
                owner,
                transport,
                membership(),
                environment,
                instruments,
                logger)),
        ];
        _engine = new(settings, environment, _shards, instruments, logger);
        _watch = new(settings.Store, [.. _shards.Select(shard => shard.Directory)], environment.Time, logger);
    }

    public string Name => _settings.Store;

    public IConsensusEngine Engine => _engine;

    /// <summary>What is measured of it at a moment.</summary>
    public IStoreGauges Gauges => new StoreGauges(Name, _shards);

    /// <summary>What takes messages, by the names that other silos ask for.</summary>
    public IEnumerable<(string Name, ITransportTarget Target)> Targets =>
        _shards.Select(shard => (shard.Name, (ITransportTarget)shard));

    /// <summary>The replicas that this silo hosts now.</summary>
    public IReadOnlyList<ReplicaDescription> Hosted =>
        [.. _shards.SelectMany(shard => shard.Describe().Replicas)];

    /// <summary>
    /// What has ended a loop that goes on for as long as the store does, or null: only another start helps.
    /// </summary>
    public Exception? Failure => _loops.FirstOrDefault(loop => loop.IsFaulted)?.Exception?.GetBaseException();

    /// <summary>What it keeps in memory and in queues now.</summary>
    public StoreLoad Load
    {
        get
        {
            var hosted = _shards.Select(shard => shard.HostedBytes).ToList();
            return new(
                _engine.Pending,
                _engine.Sessions,
                _shards.Max(shard => shard.QueuedBytes),
                hosted.Max(bytes => bytes.Waiting),
                hosted.Max(bytes => bytes.Cached));
        }
    }

    /// <summary>Opens and replays pinned logs and starts the loops. Does not: wait for a quorum.</summary>
    /// <exception cref="JournalException">The log can't be used; nothing was started.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var shard in _shards)
        {
            await shard.OpenAsync(cancellationToken);
        }

        var loops = _shards.SelectMany(shard => shard.Loops.Append(shard.ServeAsync)).Append(_watch.RunAsync);
        _loops = [.. loops.Select(Run)];
    }

    /// <summary>Hands replicas that float over to other silos, if there are any; the store goes on until it is stopped.
    /// </summary>
    public Task LeaveAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(_shards.Select(shard => shard.LeaveAsync(cancellationToken)));

    /// <summary>
    /// Ends changes as they stand, answers nothing more and closes the logs. What is just being flushed may still land.
    /// </summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _engine.Stop();
        _watch.Stop();
        foreach (var shard in _shards)
        {
            shard.Stop();
        }

        // A disk that hangs must not hang the silo with it; a silo that is being killed waits for little.
        var patience = cancellationToken.IsCancellationRequested ? ShortPatience : Patience;
        try
        {
            await Task.WhenAll(_loops).WaitAsync(patience, _environment.Time, CancellationToken.None);
        }
        catch (TimeoutException)
        {
            LogNotStopped(_logger, Name, patience);
        }
        catch (Exception) when (Failure is not null)
        {
            // It was told when it happened.
        }
    }

    public async ValueTask DisposeAsync() => await StopAsync(CancellationToken.None);

    public async Task<IReadOnlyList<ConsensusReplicaStatus>> GetStatusAsync(CancellationToken cancellationToken) =>
        (await LookAsync(cancellationToken)).StatusOf(_settings.Groups);

    /// <summary>Asks the silos what they host, for at most a second, and judges what they say.</summary>
    public async Task<StoreView> LookAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(_shards.Select(shard => shard.Directory.RefreshAllAsync())).WaitAsync(cancellationToken);
        var pinned = _settings.Local is null ? null : _shards[0].Describe().Replicas.FirstOrDefault();
        return new(_settings.Replicas.Count, [.. _shards.Select(shard => shard.Directory.Standings)], pinned);
    }

    /// <summary>Starts a loop on the store's scheduler, without anything of whoever happens to call.</summary>
    private Task Run(Func<Task> loop)
    {
        using (ExecutionContext.SuppressFlow())
        {
            return Task.Factory
                .StartNew(
                    () => TellAsync(loop), CancellationToken.None, TaskCreationOptions.DenyChildAttach,
                    _environment.Scheduler)
                .Unwrap();
        }
    }

    private async Task TellAsync(Func<Task> loop)
    {
        try
        {
            await loop();
        }
        catch (Exception exception)
        {
            LogHalted(_logger, exception, Name);
            throw;
        }
    }

    [LoggerMessage(103, LogLevel.Critical,
        "Consensus store {Store} has come to a halt on this silo; the silo has to be started again.")]
    private static partial void LogHalted(ILogger logger, Exception exception, string store);

    [LoggerMessage(104, LogLevel.Error,
        "Consensus store {Store} did not come to an end within {Patience}; its log may still be open.")]
    private static partial void LogNotStopped(ILogger logger, string store, TimeSpan patience);
}
