using System.Diagnostics;
using Orleans.Runtime;

namespace Orleans.Consensus.Transport;

/// <summary>
/// Sends batches through Orleans: to a grain service at another silo, or straight to the store if the silo is this
/// one. Thread-safe. Calls start outside of all grains and carry nothing of their caller's context: the receiver
/// knows silos by it (<see cref="CallerCheck"/>), and a request context or activity has no business there.
/// <para>The token ends the waiting at once; the other silo may still do what was asked for.</para>
/// </summary>
internal sealed class OrleansTransport(
    ILocalSiloDetails local,
    ConsensusGrainServiceClient services,
    TransportTargets targets,
    TransportOptions options,
    Random random) : ITransport
{
    private readonly ClusterSecret? _secret = ClusterSecret.From(options);
    private readonly Lock _randomLock = new();

    public SiloAddress Local => local.SiloAddress;

    public Task<BatchReply> SendAsync(SiloAddress silo, RequestBatch batch, CancellationToken cancellationToken) =>
        OutsideOfGrains(() => silo.Equals(Local)
            ? SendLocallyAsync(batch, cancellationToken)
            : SendRemotelyAsync(silo, batch, cancellationToken));

    public Task<StoreDescription?> DescribeAsync(
        SiloAddress silo, string store, CancellationToken cancellationToken) =>
        OutsideOfGrains(() => silo.Equals(Local)
            ? Task.FromResult(targets.TryGet(store, out var target) ? target.Describe() : null)
            : DescribeRemotelyAsync(silo, store, cancellationToken));

    /// <summary>The frame of an answer to the request that had <paramref name="nonce"/>.</summary>
    /// <exception cref="TransportException">It is none.</exception>
    internal static Frame Open(SiloAddress silo, ReadOnlyMemory<byte> answer, ulong nonce, ClusterSecret? secret)
    {
        if (!Frame.TryOpen(answer, secret, out var frame, out var error))
        {
            throw Unusable(silo, error);
        }

        if (frame.Kind == MessageKind.Refusal)
        {
            throw DescriptionCodec.TryDecodeRefusal(frame, out var why, out error)
                ? new TransportException($"Silo {silo} refused the message: {why}")
                : Unusable(silo, error);
        }

        return frame.Nonce == nonce ? frame : throw Unusable(silo, "It answers another request.");
    }

    private static Task<T> OutsideOfGrains<T>(Func<Task<T>> call)
    {
        if (TaskScheduler.Current == TaskScheduler.Default
            && Activity.Current is null
            && !RequestContext.Keys.Any())
        {
            return call();
        }

        using (ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow())
        {
            return Task.Factory
                .StartNew(call, CancellationToken.None, TaskCreationOptions.DenyChildAttach, TaskScheduler.Default)
                .Unwrap();
        }
    }

    private async Task<BatchReply> SendLocallyAsync(RequestBatch batch, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return targets.TryGet(batch.Store, out var target)
            ? await target.HandleAsync(batch, cancellationToken).WaitAsync(cancellationToken)
            : BatchReply.Refused(TransportReceiver.NoStore(batch.Store));
    }

    private async Task<BatchReply> SendRemotelyAsync(
        SiloAddress silo, RequestBatch batch, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var nonce = NextNonce();
        var request = MessageCodec.Encode(batch, nonce, _secret);
        var answer = await CallAsync(
            silo, services.Of(silo).ExchangeAsync(request, cancellationToken), cancellationToken);
        var frame = Open(silo, answer, nonce, _secret);
        return MessageCodec.TryDecode(frame, out BatchReply? reply, out var error)
            ? reply
            : throw Unusable(silo, error);
    }

    private async Task<StoreDescription?> DescribeRemotelyAsync(
        SiloAddress silo, string store, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var nonce = NextNonce();
        var request = DescriptionCodec.EncodeQuestion(store, nonce, _secret);
        var answer = await CallAsync(
            silo, services.Of(silo).DescribeAsync(request, cancellationToken), cancellationToken);
        var frame = Open(silo, answer, nonce, _secret);
        return DescriptionCodec.TryDecode(frame, out var description, out var error)
            ? description
            : throw Unusable(silo, error);
    }

    private static async Task<ReadOnlyMemory<byte>> CallAsync(
        SiloAddress silo, Task<FrameBytes> call, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await call.WaitAsync(cancellationToken);
            return answer.Whole;
        }
        catch (Exception exception) when (FirstVersion.IsBehind(exception))
        {
            throw new TransportException(FirstVersion.NoAnswer(silo), exception);
        }
    }

    private static TransportException Unusable(SiloAddress silo, string error) =>
        new($"The answer of silo {silo} is of no use. {error}");

    private ulong NextNonce()
    {
        lock (_randomLock)
        {
            return (ulong)random.NextInt64(long.MinValue, long.MaxValue);
        }
    }
}
