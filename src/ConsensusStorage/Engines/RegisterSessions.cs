using Orleans.Consensus.Paxos;

namespace Orleans.Consensus.Engines;

/// <summary>
/// What an engine remembers of one register: whose turn it is (S20), and the promise for the next write.
/// Owned by whoever entered it, until <see cref="RegisterSessions.Leave"/>.
/// </summary>
internal sealed class RegisterSession(RegisterId register)
{
    private CachedPromise? _promise;

    public RegisterId Register { get; } = register;

    /// <summary>Somebody is inside.</summary>
    public bool Busy { get; set; }

    /// <summary>Those who want to enter, in order.</summary>
    public LinkedList<TaskCompletionSource>? Waiting { get; set; }

    public bool HasPromise => _promise is not null;

    /// <summary>Keeps a promise that a quorum gave.</summary>
    public void Keep(CachedPromise promise) => _promise = promise;

    /// <summary>Hands the promise out once: it is consumed before anything is sent on it (S21).</summary>
    public CachedPromise? Take()
    {
        var promise = _promise;
        _promise = null;
        return promise;
    }
}

/// <summary>
/// Lets one change at a time into each register (S20) and keeps the promises of the registers used last, up to a
/// number of registers. Thread-safe.
/// </summary>
internal sealed class RegisterSessions
{
    private const int Shards = 32;

    private readonly Shard[] _shards;

    public RegisterSessions(int capacity)
    {
        _shards = new Shard[Shards];
        for (var i = 0; i < Shards; i++)
        {
            _shards[i] = new(Math.Max(1, capacity / Shards));
        }
    }

    /// <summary>Waits for its turn at <paramref name="register"/>; null if that took longer than allowed.</summary>
    public async ValueTask<RegisterSession?> EnterAsync(
        RegisterId register, TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        var shard = ShardOf(register);
        var session = shard.Enter(register, out var turn);
        if (turn is null)
        {
            return session;
        }

        try
        {
            await turn.Task.WaitAsync(timeout, time, cancellationToken);
            return session;
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            shard.GiveUp(session, turn);
            return null;
        }
    }

    public void Leave(RegisterSession session) => ShardOf(session.Register).Leave(session);

    private Shard ShardOf(RegisterId register) => _shards[(register.Hash >> 32) % Shards];

    private sealed class Shard(int capacity)
    {
        private readonly Lock _lock = new();
        private readonly Dictionary<RegisterId, RegisterSession> _sessions = [];
        private readonly Queue<RegisterSession> _byAge = new();

        public RegisterSession Enter(RegisterId register, out TaskCompletionSource? turn)
        {
            lock (_lock)
            {
                turn = null;
                if (!_sessions.TryGetValue(register, out var session))
                {
                    session = new(register) { Busy = true };
                    _sessions.Add(register, session);
                    _byAge.Enqueue(session);
                    EvictOldest();
                }
                else if (session.Busy)
                {
                    turn = new(TaskCreationOptions.RunContinuationsAsynchronously);
                    (session.Waiting ??= new()).AddLast(turn);
                }
                else
                {
                    session.Busy = true;
                }

                return session;
            }
        }

        public void Leave(RegisterSession session)
        {
            lock (_lock)
            {
                if (session.Waiting?.First is { } next)
                {
                    session.Waiting.RemoveFirst();
                    next.Value.SetResult();
                }
                else
                {
                    session.Busy = false;
                }
            }
        }

        public void GiveUp(RegisterSession session, TaskCompletionSource turn)
        {
            bool waited;
            lock (_lock)
            {
                waited = session.Waiting!.Remove(turn);
            }

            if (!waited)
            {
                // Its turn came in the same moment: pass it on.
                Leave(session);
            }
        }

        private void EvictOldest()
        {
            for (var tries = _byAge.Count; tries > 0 && _sessions.Count > capacity; tries--)
            {
                var oldest = _byAge.Dequeue();
                if (oldest.Busy)
                {
                    _byAge.Enqueue(oldest);
                }
                else
                {
                    _sessions.Remove(oldest.Register);
                }
            }
        }
    }
}
