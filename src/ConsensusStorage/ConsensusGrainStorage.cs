using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Orleans.Consensus.Diagnostics;
using Orleans.Runtime;
using Orleans.Serialization.Serializers;
using Orleans.Storage;

namespace Orleans.Consensus;

/// <summary>What one grain storage provider works with.</summary>
/// <param name="Service">Orleans' ServiceId; clusters of one service share their state.</param>
/// <param name="Provider">The provider's name; providers of one store don't see one another's states.</param>
/// <param name="MaxStateBytes">Bytes of the largest state that is taken.</param>
internal sealed record GrainStorageSettings(
    string Service, string Provider, int MaxStateBytes, IGrainStorageSerializer Serializer)
{
    /// <summary>Spaces warnings. Default the system's clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>
/// Keeps each grain state in a register of a consensus engine: serializes, compares ETags, and turns outcomes into
/// what Orleans expects. A failed call leaves the state object as it was, but for an unknown outcome: then its ETag
/// says what is in doubt. Thread-safe, but one call per state object at a time, as the runtime does it.
/// </summary>
internal sealed partial class ConsensusGrainStorage(
    GrainStorageSettings settings,
    IConsensusEngine engine,
    IActivatorProvider activators,
    ILogger<ConsensusGrainStorage> logger) : IGrainStorage
{
    /// <summary>Without a quorum every call fails, and the same line for each would hide all others.</summary>
    private static readonly TimeSpan WarningInterval = TimeSpan.FromSeconds(1);

    private readonly ILogger _logger = logger;
    private readonly RateLimit _failures = new(settings.Time, WarningInterval);
    private readonly RateLimit _doubts = new(settings.Time, WarningInterval);

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        ReadStateAsync(stateName, grainId, grainState, CancellationToken.None);

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        WriteStateAsync(stateName, grainId, grainState, CancellationToken.None);

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        ClearStateAsync(stateName, grainId, grainState, CancellationToken.None);

    public async Task ReadStateAsync<T>(
        string stateName, GrainId grainId, IGrainState<T> grainState, CancellationToken cancellationToken)
    {
        var call = Begin("Reading", stateName, grainId, grainState, cancellationToken);
        _ = StateETag.TryParse(grainState.ETag, call.Register, out var etag);
        var read = new Change.Read(engine.MintVersion(), etag.InDoubt);
        var result = await engine.ChangeAsync(call.Register, read, cancellationToken);
        if (result is not ChangeResult.Found(var value))
        {
            throw Failed(call, read, result, cancellationToken);
        }

        // A state that was written as null is read as Orleans' memory provider reads it: a fresh one, not to be found.
        var stored = value is { IsTombstone: false } ? value : null;
        var state = stored is null ? default : Deserialize<T>(call, stored);
        grainState.State = state ?? Fresh<T>();
        grainState.ETag = stored?.Version.ToString();
        grainState.RecordExists = stored is not null && state is not null;
    }

    public async Task WriteStateAsync<T>(
        string stateName, GrainId grainId, IGrainState<T> grainState, CancellationToken cancellationToken)
    {
        var call = Begin("Writing", stateName, grainId, grainState, cancellationToken);
        var payload = Serialize(call, grainState.State);
        var etag = await ETagOfAsync(call, grainState, cancellationToken);
        var write = new Change.Write(engine.MintVersion(), etag.InDoubt, etag.Expected, payload);
        var result = await engine.ChangeAsync(call.Register, write, cancellationToken);
        if (result is not ChangeResult.Applied { Version: { } version })
        {
            KeepDoubt(call, grainState, etag, result);
            throw Failed(call, write, result, cancellationToken);
        }

        grainState.ETag = version.ToString();
        grainState.RecordExists = true;
    }

    public async Task ClearStateAsync<T>(
        string stateName, GrainId grainId, IGrainState<T> grainState, CancellationToken cancellationToken)
    {
        var call = Begin("Clearing", stateName, grainId, grainState, cancellationToken);
        var fresh = Fresh<T>();
        var etag = await ETagOfAsync(call, grainState, cancellationToken);
        var clear = new Change.Clear(engine.MintVersion(), etag.InDoubt, etag.Expected);
        var result = await engine.ChangeAsync(call.Register, clear, cancellationToken);
        if (result is not ChangeResult.Applied)
        {
            KeepDoubt(call, grainState, etag, result);
            throw Failed(call, clear, result, cancellationToken);
        }

        grainState.State = fresh;
        grainState.ETag = null;
        grainState.RecordExists = false;
    }

    private StorageCall Begin(
        string operation, string stateName, GrainId grainId, object grainState, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(stateName);
        ArgumentNullException.ThrowIfNull(grainState);
        cancellationToken.ThrowIfCancellationRequested();
        var call = new StorageCall(operation, settings.Provider, stateName, grainId, default);
        try
        {
            var register = RegisterId.Create(
                settings.Service, settings.Provider, stateName, grainId.Type.AsSpan(), grainId.Key.AsSpan());
            return call with { Register = register };
        }
        catch (ArgumentException exception)
        {
            throw Refused(call, $"was refused: {exception.Message}", exception);
        }
    }

    /// <summary>What the ETag of a state object says.</summary>
    /// <exception cref="InconsistentStateException">This provider can't have written it.</exception>
    private async ValueTask<StateETag> ETagOfAsync<T>(
        StorageCall call, IGrainState<T> grainState, CancellationToken cancellationToken)
    {
        if (StateETag.TryParse(grainState.ETag, call.Register, out var etag))
        {
            return etag;
        }

        var read = new Change.Read(engine.MintVersion(), InDoubt.None);
        var result = await engine.ChangeAsync(call.Register, read, cancellationToken);
        var failure = result is ChangeResult.Found ? null : Failed(call, read, result, cancellationToken);
        throw failure as OperationCanceledException
            ?? (Exception)call.ForeignETag(result, grainState.ETag!, failure);
    }

    /// <summary>
    /// An unknown outcome goes into the ETag, so that a repeated call finds out, on any silo. What was in
    /// doubt before stays there until a change is applied or the state is read.
    /// </summary>
    private static void KeepDoubt<T>(StorageCall call, IGrainState<T> grainState, StateETag etag, ChangeResult result)
    {
        if (result is ChangeResult.Unknown unknown)
        {
            grainState.ETag = (etag with { InDoubt = unknown.InDoubt }).ToText(call.Register);
        }
    }

    /// <summary>What an outcome other than success is to the caller.</summary>
    private Exception Failed(
        StorageCall call, Change change, ChangeResult result, CancellationToken cancellationToken)
    {
        ConsensusStorageException exception;
        switch (result)
        {
            case ChangeResult.Stale stale:
                LogConflict(call.Operation, call.StateName, call.Grain, stale.MayHaveHappened);
                var stored = stale.Current is { IsTombstone: false } current ? current.Version.ToString() : null;
                return call.Conflict(stored, ExpectedBy(change)?.ToString(), stale.MayHaveHappened);

            case ChangeResult.Unknown { Reason: UnknownReason.LostTrack }:
                LogConflict(call.Operation, call.StateName, call.Grain, mayHaveHappened: true);
                return call.LostTrack(ExpectedBy(change)?.ToString());

            case ChangeResult.NotApplied notApplied:
                exception = call.Unavailable(notApplied, !change.InDoubt.IsNone);
                break;

            case ChangeResult.Unknown unknown:
                // A read makes no version, so what was in doubt before it is all there is.
                var doubt = change is Change.Read ? change.InDoubt : unknown.InDoubt;
                exception = call.OutcomeUnknown(unknown, !doubt.IsNone);
                break;

            default:
                throw new UnreachableException();
        }

        // What its caller gave up, and is known to have changed nothing, is no news.
        if (exception.MayHaveHappened || !cancellationToken.IsCancellationRequested)
        {
            Warn(call, exception);
        }

        return cancellationToken.IsCancellationRequested
            ? new OperationCanceledException(exception.Message, exception, cancellationToken)
            : exception;
    }

    private void Warn(StorageCall call, ConsensusStorageException exception)
    {
        if (!(exception.MayHaveHappened ? _doubts : _failures).TryTake(out var heldBack))
        {
            return;
        }

        if (heldBack > 0)
        {
            LogHeldBack(call.Provider, heldBack);
        }

        LogFailed(call.Operation, call.StateName, call.Grain, call.Provider, call.WithoutSubject(exception.Message));
    }

    private static RegisterVersion? ExpectedBy(Change change) => change switch
    {
        Change.Write write => write.Expected,
        Change.Clear clear => clear.Expected,
        _ => null,
    };

    private PayloadBytes Serialize<T>(StorageCall call, T? state)
    {
        ReadOnlyMemory<byte> bytes;
        try
        {
            bytes = settings.Serializer.Serialize(state).ToMemory();
        }
        catch (Exception exception)
        {
            throw Refused(
                call,
                $"failed: {settings.Serializer.GetType().Name} can't serialize it: {exception.Message} "
                + "Nothing was changed.",
                exception);
        }

        if (bytes.Length > settings.MaxStateBytes)
        {
            throw Refused(
                call,
                $"was refused: it takes {bytes.Length} bytes, and the limit is {settings.MaxStateBytes} (option "
                + "MaxStateBytes of the consensus store). Nothing was changed. Make the state smaller, or raise the "
                + "limit on all silos.");
        }

        return new(bytes);
    }

    private T? Deserialize<T>(StorageCall call, RegisterValue value)
    {
        if (value.Payload is not PayloadBytes payload)
        {
            throw new UnreachableException();
        }

        try
        {
            return settings.Serializer.Deserialize<T>(new BinaryData(payload.Bytes));
        }
        catch (Exception exception)
        {
            throw Refused(
                call,
                $"failed: {settings.Serializer.GetType().Name} can't deserialize the {payload.Bytes.Length} bytes of "
                + $"version {value.Version}: {exception.Message} The state in the store and the state object are as "
                + $"they were.{AdviceOn(exception)}",
                exception);
        }
    }

    /// <summary>Orleans' serializers write types that they refuse to read, and say so in an inner exception.</summary>
    private static string AdviceOn(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception.Message.Contains("[GenerateSerializer]", StringComparison.Ordinal))
            {
                return " Orleans reads only types that it is allowed to. Add [GenerateSerializer] to that type, and "
                    + "start the silos again: nothing of it is lost, and it can be read then.";
            }
        }

        return "";
    }

    /// <summary>
    /// A refusal that comes again with every try is told to the operator as well: an event-sourced grain tries for ever
    /// and tells its caller nothing.
    /// </summary>
    private ConsensusStorageException Refused(StorageCall call, string why, Exception? cause = null)
    {
        var refusal = call.Refused(why, cause);
        LogRefused(cause, refusal.Message);
        return refusal;
    }

    private T Fresh<T>() => activators.GetActivator<T>().Create();

    [LoggerMessage(160, LogLevel.Warning,
        "{Operation} state '{StateName}' of grain {Grain} (provider '{Provider}') {What}")]
    private partial void LogFailed(string operation, string stateName, GrainId grain, string provider, string what);

    [LoggerMessage(163, LogLevel.Warning, "{Refusal}")]
    private partial void LogRefused(Exception? cause, string refusal);

    [LoggerMessage(162, LogLevel.Warning,
        "{HeldBack} more calls of provider '{Provider}' failed since the last warning of one.")]
    private partial void LogHeldBack(string provider, int heldBack);

    [LoggerMessage(161, LogLevel.Information,
        "{Operation} state {StateName} of grain {Grain} found a newer version; may have happened before: "
            + "{MayHaveHappened}")]
    private partial void LogConflict(string operation, string stateName, GrainId grain, bool mayHaveHappened);
}
