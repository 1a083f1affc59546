using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orleans.Consensus.Diagnostics;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Transport;

namespace Orleans.Consensus.Engines;

/// <summary>
/// One silo's part of a consensus store: its engine, the replica it hosts if any, and the loops that keep both going.
/// Start once, stop once.
/// </summary>
internal sealed partial class PaxosStore : IConsensusStore, ITransportTarget, IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan ShortPatience = TimeSpan.FromSeconds(2);

    private readonly ILogger _logger;
    private readonly StoreSettings _settings;
    private readonly StoreEnvironment _environment;
    private readonly ReplicaDirectory _directory;
    private readonly ReplicaLink[] _links;
    private readonly HostedReplica? _hosted;
    private readonly PaxosEngine _engine;
    private Task _background = Task.CompletedTask;
    private Task _serving = Task.CompletedTask;

    /// <param name="journals">Where the local replica's log is; null if this silo hosts none.</param>
    public PaxosStore(
        StoreSettings settings,
        IJournalStore? journals,
        JournalOwner owner,
        ITransport transport,
        IMembershipView membership,
        StoreEnvironment environment,
        ConsensusInstruments instruments,
        ILoggerFactory loggers)
    {
        _settings = settings;
        _environment = environment;
        var logger = loggers.CreateLogger("Orleans.Consensus");
        _logger = logger;
        var time = environment.Time;
        _directory = new(settings, transport, membership, Describe, time, logger);
        _links = [.. Enumerable.Range(0, settings.Replicas.Count)
            .Select(replica => new ReplicaLink(replica, settings, _directory, transport, time, instruments))];
        _engine = new(settings, environment, _directory, _links, instruments, logger);
        if (settings.Local is { } local)
        {
            ArgumentNullException.ThrowIfNull(journals);
            _hosted = new(local, settings, journals, owner, _directory, environment, instruments, logger);
        }
    }

    public string Name => _settings.Store;

    public IConsensusEngine Engine => _engine;

    public ITransportTarget Target => this;

    /// <summary>What it keeps in memory and in queues now.</summary>
    public StoreLoad Load
    {
        get
        {
            var (waiting, cached) = _hosted?.Bytes ?? default;
            return new(_engine.Pending, _engine.Sessions, _links.Max(link => link.QueuedBytes), waiting, cached);
        }
    }

    /// <summary>Opens and replays the local log and starts the loops. Does not: wait for a quorum.</summary>
    /// <exception cref="JournalException">The log can't be used; nothing was started.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (_hosted is not null)
        {
            await _hosted.OpenAsync(cancellationToken);
        }

        _background = Task.WhenAll([Run(_directory.RunAsync), .. _links.Select(link => Run(link.RunAsync))]);
        _serving = _hosted is null ? Task.CompletedTask : Run(_hosted.RunAsync);
    }

    /// <summary>
    /// Ends changes as they stand, answers nothing more and closes the log. What is just being flushed may still land.
    /// </summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _engine.Stop();
        _hosted?.Stop();
        _directory.Stop();
        foreach (var link in _links)
        {
            link.Stop();
        }

        // A disk that hangs must not hang the silo with it; a silo that is being killed waits for little.
        var patience = cancellationToken.IsCancellationRequested ? ShortPatience : Patience;
        try
        {
            await Task.WhenAll(_serving, _background).WaitAsync(patience, _environment.Time, CancellationToken.None);
        }
        catch (TimeoutException)
        {
            LogNotStopped(_logger, Name, patience);
        }
    }

    public async ValueTask DisposeAsync() => await StopAsync(CancellationToken.None);

    public Task<BatchReply> HandleAsync(RequestBatch batch, CancellationToken cancellationToken) =>
        _hosted is not null && batch.Replica == _settings.Local && batch.Store == Name
            ? _hosted.HandleAsync(batch)
            : Task.FromResult(BatchReply.Refused($"This silo does not host replica {batch.Replica} of {batch.Store}."));

    public StoreDescription Describe() =>
        new(_settings.Shape, _hosted is null ? [] : [_hosted.Describe()]);

    public async Task<IReadOnlyList<ConsensusReplicaStatus>> GetStatusAsync(CancellationToken cancellationToken)
    {
        await _directory.RefreshAllAsync().WaitAsync(cancellationToken);
        var seen = _directory.Answering;
        var status = new List<ConsensusReplicaStatus>();
        for (var group = 0; group < _settings.Groups; group++)
        {
            foreach (var replica in _settings.Replicas.Members)
            {
                var hosts = seen.Where(known => known.Replica.Replica == replica)
                    .OrderByDescending(known => known.Replica.State == ReplicaState.Serving)
                    .ToList();
                var (silo, description) = hosts.FirstOrDefault();
                var ballot = description is { Groups.IsEmpty: false } ? description.Groups[group].ToString() : null;
                status.Add(new(
                    group,
                    replica.Name,
                    silo?.ToParsableString(),
                    description?.State.ToString() ?? "Unreachable",
                    ballot,
                    description?.LogBytes ?? 0,
                    _directory.Problem
                        ?? hosts.Select(host => host.Replica.Problem).FirstOrDefault(problem => problem is not null)));
            }
        }

        return status;
    }

    /// <summary>Starts a loop on the store's scheduler, without anything of whoever happens to call.</summary>
    private Task Run(Func<Task> loop)
    {
        using (ExecutionContext.SuppressFlow())
        {
            return Task.Factory
                .StartNew(loop, CancellationToken.None, TaskCreationOptions.DenyChildAttach, _environment.Scheduler)
                .Unwrap();
        }
    }

    [LoggerMessage(30, LogLevel.Error,
        "Consensus store {Store} did not come to an end within {Patience}; its log may still be open.")]
    private static partial void LogNotStopped(ILogger logger, string store, TimeSpan patience);
}
