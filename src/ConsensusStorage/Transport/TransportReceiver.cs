using Microsoft.Extensions.Logging;
using Orleans.Consensus.Diagnostics;

namespace Orleans.Consensus.Transport;

/// <summary>
/// The receiving end: opens frames, hands them to the store they name, and frames its answer. Everything that can't be
/// answered is refused in words; no exception of a store leaves the silo. Thread-safe.
/// </summary>
internal sealed partial class TransportReceiver(
    TransportTargets targets, ClusterSecret? secret, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan WarningInterval = TimeSpan.FromSeconds(10);

    private readonly RateLimit _warnings = new(time, WarningInterval);

    /// <summary>Answers a request with a reply or a refusal.</summary>
    /// <exception cref="OperationCanceledException">Nobody waits for the answer any more.</exception>
    public async Task<FrameBytes> ExchangeAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (!Frame.TryOpen(bytes, secret, out var frame, out var error)
            || !MessageCodec.TryDecode(frame, out RequestBatch? batch, out error))
        {
            return Refuse(error);
        }

        if (!targets.TryGet(batch.Store, out var target))
        {
            return MessageCodec.Encode(BatchReply.Refused(NoStore(batch.Store)), frame.Nonce, secret);
        }

        try
        {
            var reply = await target.HandleAsync(batch, cancellationToken);
            return MessageCodec.Encode(MessageCodec.Fit(reply), frame.Nonce, secret);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            return Fail(batch.Store, exception);
        }
    }

    /// <summary>Answers the name of a store with its description, or none, or a refusal.</summary>
    public FrameBytes Describe(ReadOnlyMemory<byte> bytes)
    {
        if (!Frame.TryOpen(bytes, secret, out var frame, out var error)
            || !DescriptionCodec.TryDecodeQuestion(frame, out var store, out error))
        {
            return Refuse(error);
        }

        try
        {
            var description = targets.TryGet(store, out var target) ? target.Describe() : null;
            return DescriptionCodec.Encode(description, frame.Nonce, secret);
        }
        catch (Exception exception)
        {
            return Fail(store, exception);
        }
    }

    /// <summary>What a silo says of a store it does not have.</summary>
    public static string NoStore(string store) => $"This silo has no consensus store '{store}', or it is stopping.";

    /// <summary>Answers that there is no answer, and leaves a warning, not too often.</summary>
    public FrameBytes Refuse(string why)
    {
        if (_warnings.TryTake(out var heldBack))
        {
            LogRefused(logger, why, heldBack);
        }

        return DescriptionCodec.EncodeRefusal(why);
    }

    private FrameBytes Fail(string store, Exception exception)
    {
        if (_warnings.TryTake(out var heldBack))
        {
            LogFailed(logger, exception, store, heldBack);
        }

        return DescriptionCodec.EncodeRefusal("The store failed to answer; the log of its silo says why.");
    }

    [LoggerMessage(150, LogLevel.Warning,
        "A consensus message was refused: {Why} ({HeldBack} warnings of the last seconds were left out.)")]
    private static partial void LogRefused(ILogger logger, string why, int heldBack);

    [LoggerMessage(151, LogLevel.Error,
        "Store {Store} failed to answer a message. ({HeldBack} warnings of the last seconds were left out.)")]
    private static partial void LogFailed(ILogger logger, Exception exception, string store, int heldBack);
}
