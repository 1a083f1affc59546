using System.Collections.Immutable;
using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using Orleans.Consensus.Codec;
using Orleans.Consensus.Diagnostics;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Transport;

namespace Orleans.Consensus.Engines;

/// <summary>
/// An acceptor with its log: decides what is waiting, persists it as one batch, and only then answers (S5).
/// <para>One loop does all of it, so a decision is always taken on a state that is durable or part of the same batch,
/// and whatever arrives during a flush forms the next batch (group commit).</para>
/// <para>If an append fails with unknown outcome the loop ends with that exception: the owner drops this object, and
/// all it held in memory, and opens the log again.</para>
/// </summary>
internal sealed class PaxosReplica
{
    /// <summary>Messages that may wait; more are refused before they are looked at (S25).</summary>
    private const int MaxWaiting = 1024;

    /// <summary>Bytes of payloads read back for one message.</summary>
    private const long MaxLoadedBytes = 32 * 1024 * 1024;

    /// <summary>Places for changes of one batch that are kept for the next one.</summary>
    private const int MaxKeptChanges = 64 * 1024;

    private readonly ReplicaId _id;
    private readonly IJournal _journal;
    private readonly AcceptorIndex _index;
    private readonly StoreSettings _settings;
    private readonly TimeProvider _time;
    private readonly ConsensusInstruments _instruments;
    private readonly Channel<Work> _inbox;
    private readonly BatchPace _pace;
    private readonly JournalBatch _batch = new();
    private readonly ByteWriter _record = new(1024);
    private readonly PayloadCache _cache;
    private readonly ReplicaObstacles _obstacles;
    private readonly OwnFloors _floors;
    private readonly List<Work> _deciding = [];
    private readonly List<Change> _changes = [];
    private volatile ExceptionDispatchInfo? _damage;
    private long _waitingBytes;
    private volatile bool _stopped;

    public PaxosReplica(
        ReplicaId id,
        IJournal journal,
        AcceptorIndex index,
        StoreSettings settings,
        TimeProvider time,
        ConsensusInstruments instruments)
    {
        _id = id;
        _journal = journal;
        _index = index;
        _settings = settings;
        _time = time;
        _instruments = instruments;
        _cache = new(settings.ValueCacheBytes);
        _floors = new(index, settings.MaxPromises);
        _pace = new(time);
        _obstacles = new(time);
        _inbox = Channel.CreateBounded<Work>(new BoundedChannelOptions(MaxWaiting)
        {
            SingleReader = true,
            FullMode = BoundedChannelFullMode.Wait,
        });
    }

    /// <summary>The last ballot of each group.</summary>
    public ImmutableArray<Ballot> Highest => _index.Highest;

    /// <summary>The highest round that is believed now (S4).</summary>
    public long Ceiling => Acceptor.CeilingAt(_time.GetUtcNow().ToUnixTimeMilliseconds(), _index.HighestRound);

    /// <inheritdoc cref="ReplicaObstacles.Current"/>
    public string? Obstacle
    {
        get
        {
            if (_journal.HasRoom)
            {
                _obstacles.FoundRoom();
            }

            return _obstacles.Current;
        }
    }

    /// <summary>Bytes of the messages that wait to be looked at.</summary>
    public long WaitingBytes => Volatile.Read(ref _waitingBytes);

    /// <summary>Bytes of the payloads that are kept in memory.</summary>
    public long CachedBytes => _cache.Bytes;

    /// <summary>Answers a batch once everything its answers were computed from is durable. Thread-safe.</summary>
    public Task<BatchReply> HandleAsync(ImmutableArray<RegisterRequest> requests)
    {
        var work = new Work(requests);
        if (Interlocked.Add(ref _waitingBytes, work.Size) <= _settings.MaxQueuedBytes
            && _inbox.Writer.TryWrite(work))
        {
            _pace.Arrived(requests.Length);
            return work.Reply.Task;
        }

        Interlocked.Add(ref _waitingBytes, -work.Size);
        if (_stopped)
        {
            return Task.FromResult(BatchReply.Refused($"Replica {_id} has stopped."));
        }

        _instruments.Refused(_id.Name, "overloaded");
        _obstacles.Overloaded();
        work.Refuse("too much is waiting for it already");
        return work.Reply.Task;
    }

    /// <summary>
    /// Works until <see cref="Stop"/> (then it returns) or until the log fails (then it throws that). Everything
    /// that is waiting is refused at the end; nothing that was decided but not persisted is ever answered.
    /// </summary>
    public async Task RunAsync()
    {
        try
        {
            while (await _inbox.Reader.WaitToReadAsync())
            {
                await _pace.WaitAsync();
                _damage?.Throw();
                Decide();
                await PersistAsync();
                Answer();
            }
        }
        finally
        {
            Stop();
            RefuseAll(_deciding, "stopped");
            while (_inbox.Reader.TryRead(out var work))
            {
                work.Reply.TrySetResult(BatchReply.Refused($"Replica {_id} has stopped."));
            }
        }
    }

    /// <summary>Takes no more work. Thread-safe.</summary>
    public void Stop() => EndInbox(null);

    private void EndInbox(Exception? damage)
    {
        _stopped = true;
        _inbox.Writer.TryComplete(damage);
    }

    private void Decide()
    {
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        while (_batch.Length < _settings.MaxBatchBytes && _inbox.Reader.TryRead(out var work))
        {
            Interlocked.Add(ref _waitingBytes, -work.Size);
            _pace.Taken(work.Requests.Length);
            _deciding.Add(work);
            for (var i = 0; i < work.Requests.Length; i++)
            {
                work.Replies[i] = Decide(work.Requests[i].Register, work.Requests[i].Request, now);
            }
        }

        _floors.AddTo(_batch, _record, now);
    }

    private Reply Decide(RegisterId register, Request request, long now)
    {
        var state = _index[register];
        var ceiling = Acceptor.CeilingAt(now, _index.HighestRound);
        var step = request switch
        {
            Prepare prepare => Acceptor.On(state, _index.Floor(_index.GroupOf(register)), prepare, ceiling),
            Accept accept => Acceptor.On(state, Stored(accept), ceiling),
            _ => throw new UnreachableException(),
        };
        if (step.Reply is TooFarAhead)
        {
            _instruments.Refused(_id.Name, "too_far_ahead");
        }

        if (!ReferenceEquals(step.Next, state))
        {
            Record(register, state, step.Next);
        }

        return request is Prepare { WantPayload: false } && step.Reply is Promise { Value.Payload: not null } promise
            ? promise with { Value = promise.Value with { Payload = Payload.Omitted } }
            : step.Reply;
    }

    private static Accept Stored(Accept accept) =>
        accept.Value.Payload is PayloadBytes payload
            ? accept with { Value = accept.Value with { Payload = StoredPayload.Pending(payload) } }
            : accept;

    private void Record(RegisterId register, AcceptorState before, AcceptorState next)
    {
        var group = _index.GroupOf(register);
        _record.Clear();
        if (next.Accepted != before.Accepted)
        {
            AcceptorRecords.WriteAccept(_record, group, register, next);
            var offset = _batch.Add(AcceptorRecords.AcceptKind, _record.WrittenSpan);
            var payload = next.Value!.Payload as StoredPayload;
            var payloadOffset = offset + _record.Length - (payload?.Length ?? 0);
            _changes.Add(new(register, _index.Set(register, next), payload, payloadOffset));
        }
        else
        {
            AcceptorRecords.WritePromise(_record, group, register, next.Promised);
            _batch.Add(AcceptorRecords.PromiseKind, _record.WrittenSpan);
            _changes.Add(new(register, _index.Set(register, next), null, 0));
        }
    }

    private async ValueTask PersistAsync()
    {
        if (_batch.Count == 0)
        {
            return;
        }

        try
        {
            var started = _time.GetTimestamp();
            _obstacles.AppendBegins();
            var position = await _journal.AppendAsync(_batch, CancellationToken.None);
            var took = _time.GetElapsedTime(started);
            _obstacles.HadRoom(_batch.Length);
            _pace.Appended(_deciding.Sum(work => work.Requests.Length), took);
            _instruments.Flush(_id.Name, _batch.Count, took);
            foreach (var change in _changes)
            {
                _index.Landed(change.Register);
                if (change.Payload is { } payload)
                {
                    payload.Landed(position.Plus(change.PayloadOffset));
                    _cache.Add(payload);
                }
            }

            _floors.Landed();
        }
        catch (JournalFullException full)
        {
            // Nothing was written and the log is fine: take the decisions back and refuse.
            for (var i = _changes.Count - 1; i >= 0; i--)
            {
                _index.Restore(_changes[i].Register, _changes[i].Before);
            }

            _floors.TakeBack();
            _instruments.Refused(_id.Name, "full");
            _obstacles.Full(full.Message, _batch.Length);
            _deciding.ForEach(work => work.Refuse(full.Message, lasts: true));
        }
        finally
        {
            _obstacles.AppendEnds();
        }
    }

    private void Answer()
    {
        foreach (var work in _deciding)
        {
            if (!work.Reply.Task.IsCompleted)
            {
                _ = Array.Exists(work.Replies, NeedsLoad) ? LoadAndAnswerAsync(work) : CompleteAsync(work);
            }
        }

        Forget();
    }

    /// <summary>Lets go of what a turn was about: until the next one may be long.</summary>
    private void Forget()
    {
        _batch.Clear();
        _record.Clear();
        _deciding.Clear();
        _changes.Clear();
        if (_changes.Capacity > MaxKeptChanges)
        {
            _changes.Capacity = 0;
        }
    }

    private static bool NeedsLoad(Reply reply) => reply is Promise { Value.Payload: StoredPayload };

    private static Task CompleteAsync(Work work)
    {
        work.Reply.TrySetResult(new(null, ImmutableArray.Create(work.Replies)));
        return Task.CompletedTask;
    }

    /// <summary>
    /// Reads asked-for payloads back beside the loop: a slow read must not hold up the next batch. What can't be read
    /// now, or not in half the time that the sender waits, is not answered, nor are more than
    /// <see cref="MaxLoadedBytes"/>; a read without an answer comes again. Only damage ends the replica.
    /// </summary>
    private async Task LoadAndAnswerAsync(Work work)
    {
        await Task.Yield();
        var loadedBytes = 0L;
        using var patience = new CancellationTokenSource(_settings.RoundTimeout / 2, _time);
        try
        {
            for (var i = 0; i < work.Replies.Length; i++)
            {
                if (work.Replies[i] is Promise { Value.Payload: StoredPayload payload } promise)
                {
                    loadedBytes += payload.Length;
                    work.Replies[i] = i > 0 && loadedBytes > MaxLoadedBytes
                        ? new NoAnswer(Phase.Prepare, promise.Ballot, "too many states were asked for at once")
                        : await LoadedAsync(promise, payload, patience);
                }
            }

            await CompleteAsync(work);
        }
        catch (Exception exception)
        {
            work.Reply.TrySetResult(BatchReply.Refused(exception.Message));
            _damage = ExceptionDispatchInfo.Capture(exception);
            EndInbox(exception);
        }
    }

    private async ValueTask<Reply> LoadedAsync(Promise promise, StoredPayload payload, CancellationTokenSource patience)
    {
        try
        {
            var loaded = await payload.LoadAsync(_journal, patience.Token);
            return promise with { Value = promise.Value! with { Payload = loaded } };
        }
        catch (Exception exception) when (IsUnavailable(exception))
        {
            // The others of the message are not to wait as long, each, for storage that gives no answer.
            patience.Cancel();
            _instruments.Refused(_id.Name, "unreadable");
            var why = exception is OperationCanceledException ? "its log is too slow to read" : exception.Message;
            return new NoAnswer(Phase.Prepare, promise.Ballot, why);
        }
    }

    /// <summary>The bytes could not be had now, which says nothing about what they are.</summary>
    private static bool IsUnavailable(Exception exception) =>
        exception is JournalUnavailableException or JournalLostException or IOException or UnauthorizedAccessException
            or TimeoutException or OperationCanceledException;

    private static void RefuseAll(List<Work> works, string why)
    {
        foreach (var work in works)
        {
            work.Reply.TrySetResult(BatchReply.Refused(why));
        }
    }

    /// <summary>One message on its way through the loop.</summary>
    private sealed class Work(ImmutableArray<RegisterRequest> requests)
    {
        public ImmutableArray<RegisterRequest> Requests { get; } = requests;

        /// <summary>Bytes, about.</summary>
        public long Size { get; } = requests.Sum(request => (long)request.Size);

        public Reply[] Replies { get; } = new Reply[requests.Length];

        public TaskCompletionSource<BatchReply> Reply { get; } =
            new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>
        /// Answers that there is no answer now. Unlike a refused batch that says: right place, wrong time.
        /// </summary>
        /// <param name="lasts">It won't pass by itself within moments.</param>
        public void Refuse(string why, bool lasts = false) => Reply.TrySetResult(new(
            null,
            [.. Requests.Select(request => (Reply)new NoAnswer(request.Request.Phase, request.Request.Ballot, why)
            {
                Lasts = lasts,
            })]));
    }

    /// <summary>A state put into the index by this batch: what it replaced, and where its payload will lie.</summary>
    private readonly record struct Change(
        RegisterId Register, AcceptorState? Before, StoredPayload? Payload, int PayloadOffset);
}
