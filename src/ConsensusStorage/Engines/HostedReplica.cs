using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orleans.Consensus.Codec;
using Orleans.Consensus.Diagnostics;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Transport;

namespace Orleans.Consensus.Engines;

/// <summary>
/// The life of one replica on this silo: open its log, form the store with its peers, serve; when the log fails,
/// forget everything and open it again. A damaged log, or one that does not belong here, is never served from.
/// </summary>
internal sealed partial class HostedReplica
{
    /// <summary>Of the fence with which a new log begins.</summary>
    private const long FirstEpoch = 1;

    private static readonly TimeSpan InUsePatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly ReplicaId _id;
    private readonly StoreSettings _settings;
    private readonly HostedLog _log;
    private readonly ReplicaDirectory _directory;
    private readonly StoreEnvironment _environment;
    private readonly ConsensusInstruments _instruments;
    private readonly ILogger _logger;
    private readonly FormingLog _formation;
    private readonly CancellationTokenSource _stop = new();

    private volatile Incarnation? _incarnation;
    private volatile string? _problem;
    private LogId? _refusedLog;
    private bool _isDoubted;
    private volatile ReplicaState _state = ReplicaState.Opening;

    public HostedReplica(
        ReplicaId id,
        StoreSettings settings,
        HostedLog log,
        ReplicaDirectory directory,
        StoreEnvironment environment,
        ConsensusInstruments instruments,
        ILogger logger)
    {
        _id = id;
        _settings = settings;
        _log = log;
        _directory = directory;
        _environment = environment;
        _instruments = instruments;
        _logger = logger;
        _formation = new(id, settings.Replicas, directory, environment.Time);
    }

    /// <summary>
    /// Opens and replays the log. A damaged one is quarantined: the silo goes on without its replica. So it does where
    /// what is wrong can pass, as on a full disk: then <see cref="RunAsync"/> tries it again.
    /// </summary>
    /// <exception cref="JournalException">The log can't be used; the message says what to do.</exception>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        var started = _environment.Time.GetTimestamp();
        while (true)
        {
            try
            {
                _incarnation = await NewIncarnationAsync(cancellationToken);
                return;
            }
            catch (JournalInUseException) when (_environment.Time.GetElapsedTime(started) < InUsePatience)
            {
                // A silo that is just stopping may hold it for a moment.
                await Task.Delay(ShortestPause, _environment.Time, cancellationToken);
            }
            catch (JournalCorruptException corrupt)
            {
                Refuse(corrupt.Message, "corrupt");
                return;
            }
            catch (JournalException exception) when (exception.MayPass)
            {
                TellFailure(exception, ShortestPause);
                return;
            }
        }
    }

    /// <summary>Forms and serves until <see cref="Stop"/>.</summary>
    public async Task RunAsync()
    {
        var pause = ShortestPause;
        if (_state == ReplicaState.Recovering)
        {
            await PauseAsync(pause);
        }

        while (_state != ReplicaState.Refused && !WasFenced && !_stop.IsCancellationRequested)
        {
            try
            {
                var incarnation = _incarnation ??= await NewIncarnationAsync(_stop.Token);

                // Whoever stopped meanwhile found nothing to stop.
                _stop.Token.ThrowIfCancellationRequested();
                if (await FormAsync(incarnation))
                {
                    pause = ShortestPause;
                    await ServeAsync(incarnation);
                }
                else
                {
                    await CloseAsync();
                }
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                break;
            }
            catch (Exception exception) when (exception is JournalCorruptException or JournalIdentityException
                or JournalFormatException)
            {
                Refuse(exception.Message, "corrupt");
            }
            catch (JournalFencedException exception)
            {
                LoseLog(exception);
            }
            catch (JournalInUseException exception) when (_settings.Floats)
            {
                _problem = exception.Message;
                await PauseAsync(ShortestPause);
            }
            catch (Exception exception)
            {
                await RecoverAsync(exception, pause);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
        }

        await CloseAsync();
    }

    /// <summary>Answers nothing more from here on; <see cref="RunAsync"/> then closes the log and returns.</summary>
    public void Stop()
    {
        _stop.Cancel();
        _incarnation?.Replica.Stop();
    }

    /// <summary>Decides, persists and answers, if this replica is the one that is meant and may answer.</summary>
    public Task<BatchReply> HandleAsync(RequestBatch batch)
    {
        if (_state != ReplicaState.Serving || _incarnation is not { } incarnation)
        {
            return Task.FromResult(BatchReply.Refused(_problem ?? $"Replica {_id} is {_state}."));
        }

        if (batch.Log != incarnation.Journal.Identity.LogId)
        {
            return Task.FromResult(BatchReply.Refused(
                $"Replica {_id} has log {incarnation.Journal.Identity.LogId}, not {batch.Log}."));
        }

        return batch.Generation == _settings.Generation
            ? incarnation.Replica.HandleAsync(batch.Requests)
            : Task.FromResult(BatchReply.Refused(
                $"Replica {_id} has configuration generation {_settings.Generation}, not {batch.Generation}."));
    }

    public ReplicaId Id => _id;

    /// <summary>Another silo has taken the log over; this host is done with it.</summary>
    public bool WasFenced { get; private set; }

    /// <summary>It belongs to another silo, and is kept until that one has it.</summary>
    public bool IsGuest { get; set; }

    /// <summary>Registers that it holds.</summary>
    public int States => _incarnation?.Index.Count ?? 0;

    /// <summary>Bytes that wait to be looked at, and bytes of state in memory.</summary>
    public (long Waiting, long Cached) Bytes =>
        _incarnation is { Replica: var replica } ? (replica.WaitingBytes, replica.CachedBytes) : default;

    public ReplicaDescription Describe()
    {
        var incarnation = _incarnation;
        return new(
            _id,
            incarnation?.Journal.Identity.LogId ?? _refusedLog,
            _state,
            incarnation?.Index.Peers ?? [],
            incarnation?.Replica.Highest ?? [],
            incarnation?.Journal.Bytes ?? 0,
            _problem ?? (_state == ReplicaState.Serving ? incarnation?.Replica.Obstacle : null))
        {
            Ceiling = incarnation?.Replica.Ceiling ?? 0,
            Epoch = _log.CanMove ? incarnation?.Journal.Epoch ?? 0 : 0,
            IsGuest = IsGuest,
        };
    }

    private async Task<Incarnation> NewIncarnationAsync(CancellationToken cancellationToken)
    {
        var index = new AcceptorIndex(_settings.Groups);
        var journal = await _log.OpenAsync(index, cancellationToken);
        var replica = new PaxosReplica(_id, journal, index, _settings, _environment.Time, _instruments);
        LogOpened(_logger, _id, journal.Identity.LogId, index.Count, journal.Bytes);
        if (_settings.Floats && journal.Epoch > FirstEpoch)
        {
            _instruments.TakeOver(_id.Name);
        }

        return new(journal, index, replica);
    }

    /// <summary>
    /// Waits until this log may answer (S13), or is known never to. False if it has to be read again first.
    /// </summary>
    private async Task<bool> FormAsync(Incarnation incarnation)
    {
        _state = incarnation.Index.Formed ? ReplicaState.Serving : ReplicaState.Forming;
        var refused = await _formation.RunAsync(
            incarnation.Journal, incarnation.Index, waitsFor => _problem = waitsFor, _stop.Token);
        if (refused is not null && _settings.Floats && !_isDoubted)
        {
            // Another host may have gone on with the log; then it holds what is missing here.
            _isDoubted = true;
            return false;
        }

        if (refused is not null)
        {
            Refuse(refused.Problem, "not_in_formation");
            return true;
        }

        _problem = null;
        _isDoubted = false;
        _state = ReplicaState.Serving;
        _directory.Nudge();
        LogServing(_logger, _id);
        return true;
    }

    private async Task ServeAsync(Incarnation incarnation)
    {
        if (_state != ReplicaState.Serving)
        {
            return;
        }

        using var served = new CancellationTokenSource();
        var watching = _log.CanMove ? Task.CompletedTask : WatchForTwinAsync(incarnation, served.Token);
        try
        {
            await incarnation.Replica.RunAsync();
        }
        finally
        {
            served.Cancel();
            await watching;
        }
    }

    private async Task WatchForTwinAsync(Incarnation incarnation, CancellationToken cancellationToken)
    {
        var log = incarnation.Journal.Identity.LogId;
        if (await new TwinWatch(_id, _directory, _environment.Time).RunAsync(log, cancellationToken) is { } silo)
        {
            _refusedLog = log;
            Refuse(
                $"Replica '{_id}' has the same log {log} as silo {silo}: its data directory was copied. Which one "
                + "holds all that was promised can't be told, so neither serves. Stop the silo with the "
                + "copy, then start the one with the original directory again.",
                "copied");
            incarnation.Replica.Stop();
        }
    }

    private async Task RecoverAsync(Exception exception, TimeSpan pause)
    {
        TellFailure(exception, pause);
        await CloseAsync();
        await PauseAsync(pause);
    }

    private void TellFailure(Exception exception, TimeSpan pause)
    {
        _state = ReplicaState.Recovering;
        _problem = $"The log of replica {_id} failed ({exception.Message}); it is being opened again.";
        _instruments.ReplicaFailed(_id.Name, exception.GetType().Name);

        // Storage that can't be reached, or is full, is nothing that a stack trace explains.
        var shown = exception is JournalUnavailableException or JournalFullException ? null : exception;
        LogRecovering(_logger, shown, _id, exception.Message, pause);
    }

    private async Task PauseAsync(TimeSpan pause)
    {
        try
        {
            await Task.Delay(pause, _environment.Time, _stop.Token);
        }
        catch (OperationCanceledException)
        {
            // Stopping; the caller looks at the token.
        }
    }

    private async Task CloseAsync()
    {
        var incarnation = _incarnation;
        _incarnation = null;
        if (_stop.IsCancellationRequested)
        {
            _state = ReplicaState.Stopped;
        }

        if (incarnation is not null)
        {
            incarnation.Replica.Stop();
            await DisposeAsync(incarnation.Journal);
        }
    }

    /// <summary>A log that can't even be closed says so, and leaves its replica alive.</summary>
    private async Task DisposeAsync(IJournal journal)
    {
        try
        {
            await _log.CloseAsync(journal);
        }
        catch (Exception exception)
        {
            LogNotClosed(_logger, exception, _id);
        }
    }

    /// <summary>
    /// The log is another host's. What is in memory counts for nothing (S17); a pinned replica is not taken back,
    /// because whoever has it believes with the same right that it is pinned there.
    /// </summary>
    private void LoseLog(JournalFencedException exception)
    {
        if (_settings.Floats)
        {
            (WasFenced, _state) = (true, ReplicaState.Stopped);
            LogFenced(_logger, _id, exception.Message);
        }
        else
        {
            Refuse(
                $"{exception.Message} Replica '{_id}' is pinned to this silo, but another one opened its log: give "
                + "every silo a replica id of its own.",
                "fenced");
        }
    }

    private void Refuse(string problem, string reason)
    {
        _problem = problem;
        _state = ReplicaState.Refused;
        _instruments.ReplicaFailed(_id.Name, reason);
        LogRefused(_logger, _id, problem);
    }

    /// <summary>An open log and what was replayed from it; dropped as a whole when the log fails.</summary>
    private sealed record Incarnation(IJournal Journal, AcceptorIndex Index, PaxosReplica Replica);

    [LoggerMessage(130, LogLevel.Information,
        "Replica {Replica} opened log {Log}: {Registers} registers, {Bytes} bytes.")]
    private static partial void LogOpened(ILogger logger, ReplicaId replica, LogId log, int registers, long bytes);

    [LoggerMessage(131, LogLevel.Information, "Replica {Replica} serves.")]
    private static partial void LogServing(ILogger logger, ReplicaId replica);

    [LoggerMessage(132, LogLevel.Error, "The log of replica {Replica} failed: {Why} It is opened again in {Pause}.")]
    private static partial void LogRecovering(
        ILogger logger, Exception? exception, ReplicaId replica, string why, TimeSpan pause);

    [LoggerMessage(134, LogLevel.Warning, "The log of replica {Replica} was not closed cleanly.")]
    private static partial void LogNotClosed(ILogger logger, Exception exception, ReplicaId replica);

    [LoggerMessage(135, LogLevel.Information, "Replica {Replica} goes on elsewhere: {Why}")]
    private static partial void LogFenced(ILogger logger, ReplicaId replica, string why);

    [LoggerMessage(133, LogLevel.Critical, "Replica {Replica} does not serve: {Problem}")]
    private static partial void LogRefused(ILogger logger, ReplicaId replica, string problem);
}
