using System.Collections.Immutable;
using System.Threading.Channels;
using Orleans.Consensus.Diagnostics;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Transport;

namespace Orleans.Consensus.Engines;

/// <summary>
/// The engine's way to one replica: requests queue up and go out as batches, a few at a time. The queue is bounded in
/// bytes; what does not fit is answered with <see cref="NoAnswer"/> at once, so a slow or dead replica costs its own
/// vote and nothing else.
/// </summary>
internal sealed class ReplicaLink : IAcceptorLink
{
    /// <summary>Batches on their way; more would only make them smaller.</summary>
    private const int MaxInFlight = 2;

    private readonly int _replica;
    private readonly StoreSettings _settings;
    private readonly ReplicaDirectory _directory;
    private readonly ITransport _transport;
    private readonly TimeProvider _time;
    private readonly ConsensusInstruments _instruments;
    private readonly Channel<Outgoing> _queue;
    private readonly SemaphoreSlim _slots = new(MaxInFlight);
    private readonly StateSizes _sizes;
    private readonly ulong _id;
    private ulong _sent;
    private long _queuedBytes;

    public ReplicaLink(
        int replica,
        StoreSettings settings,
        ReplicaDirectory directory,
        StateSizes sizes,
        ITransport transport,
        StoreEnvironment environment,
        ConsensusInstruments instruments)
    {
        _replica = replica;
        _settings = settings;
        _directory = directory;
        _sizes = sizes;
        _transport = transport;
        _time = environment.Time;
        _id = (ulong)environment.Random.NextInt64(long.MinValue, long.MaxValue);
        _instruments = instruments;
        _queue = Channel.CreateUnbounded<Outgoing>(new UnboundedChannelOptions { SingleReader = true });
    }

    /// <summary>Bytes that wait to be sent.</summary>
    public long QueuedBytes => Volatile.Read(ref _queuedBytes);

    private string Name => _settings.Replicas[_replica].Name;

    /// <summary>Sends, or answers <see cref="NoAnswer"/> if the queue is full or closed. Thread-safe.</summary>
    public void Post(Outgoing outgoing)
    {
        if (Interlocked.Add(ref _queuedBytes, outgoing.Size) > _settings.MaxQueuedBytes
            || !_queue.Writer.TryWrite(outgoing))
        {
            Interlocked.Add(ref _queuedBytes, -outgoing.Size);
            outgoing.Fail(_replica, "too much is waiting for it already");
        }
    }

    /// <summary>Works until <see cref="Stop"/>.</summary>
    public async Task RunAsync()
    {
        var batch = new List<Outgoing>();
        while (await _queue.Reader.WaitToReadAsync())
        {
            await _slots.WaitAsync();
            Collect(batch);
            if (batch.Count == 0)
            {
                _slots.Release();
                continue;
            }

            if (_directory.Locate(_replica) is { } location)
            {
                _ = SendAsync(location, [.. batch]);
            }
            else
            {
                _slots.Release();
                FailAll(batch, "no silo is known to host it");
            }
        }
    }

    public void Stop() => _queue.Writer.TryComplete();

    private void Collect(List<Outgoing> batch)
    {
        batch.Clear();
        var bytes = 0;
        while (bytes < _settings.MaxBatchBytes && _queue.Reader.TryRead(out var outgoing))
        {
            Interlocked.Add(ref _queuedBytes, -outgoing.Size);

            // What nobody waits for any more is of no use, but for an accept that was settled: it brings the replica up
            // to date.
            if (!outgoing.Attempt.IsOver || (outgoing.Attempt.IsSettled && outgoing.Request is Accept))
            {
                batch.Add(outgoing);
                bytes += outgoing.Size + (outgoing.WantsState ? _sizes.Expected : 0);
            }
        }
    }

    private async Task SendAsync(ReplicaLocation location, Outgoing[] batch)
    {
        try
        {
            using var timeout = new CancellationTokenSource(_settings.RoundTimeout, _time);
            var requests = batch.Select(outgoing => new RegisterRequest(outgoing.Register, outgoing.Request));
            var message = new RequestBatch(
                _settings.Store,
                _settings.Replicas[_replica],
                location.Log,
                _settings.Generation,
                [.. requests],
                new(_id, Interlocked.Increment(ref _sent)));
            _instruments.MessageBatch(Name, batch.Length);
            var reply = await _transport.SendAsync(location.Silo, message, timeout.Token);
            if (reply.Refusal is not null || reply.Replies.Length != batch.Length)
            {
                _directory.Suspect(location);
                FailAll(batch, reply.Refusal ?? "its answer does not fit the question");
                return;
            }

            _sizes.Learn(reply.Replies);
            for (var i = 0; i < batch.Length; i++)
            {
                batch[i].Attempt.Deliver(_replica, reply.Replies[i]);
            }
        }
        catch (Exception exception)
        {
            // Whatever it is, the replica's word is missing; the round counts without it (S6).
            _directory.Suspect(location);
            FailAll(batch, exception is OperationCanceledException ? "no answer in time" : exception.Message);
        }
        finally
        {
            _slots.Release();
        }
    }

    private void FailAll(IEnumerable<Outgoing> batch, string why)
    {
        foreach (var outgoing in batch)
        {
            outgoing.Fail(_replica, why);
        }
    }
}

/// <summary>One request on its way to one replica, and the attempt that waits for the answer.</summary>
internal readonly record struct Outgoing(RegisterId Register, Request Request, Attempt Attempt)
{
    /// <summary>Bytes it takes on the wire, about.</summary>
    public int Size => new RegisterRequest(Register, Request).Size;

    /// <summary>Its answer brings the state.</summary>
    public bool WantsState => Request is Prepare { WantPayload: true };

    public void Fail(int replica, string why) =>
        Attempt.Deliver(replica, new NoAnswer(Request.Phase, Request.Ballot, why));
}
