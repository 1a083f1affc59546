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

    /// <summary>Somebody was inside since it was last looked at for eviction.</summary>
    public bool Used { get; set; }

    /// <summary>Those who want to enter, in order.</summary>
    public LinkedList<Waiter>? Waiting { get; set; }

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
/// number of registers, and of fewer if their names are long. Thread-safe.
/// </summary>
internal sealed class RegisterSessions
{
    private const int Shards = 32;

    /// <summary>Bytes of names that there is room for, for each register that there is room for.</summary>
    private const long NameBytes = 512;

    private readonly Shard[] _shards;
    private readonly long _seed;

    /// <param name="capacity">How many registers to remember.</param>
    /// <param name="seed">
    /// Secret: who knew it could choose names that all land in one of the parts of this table.
    /// </param>
    public RegisterSessions(int capacity, long seed)
    {
        _seed = seed;
        _shards = new Shard[Shards];
        for (var i = 0; i < Shards; i++)
        {
            _shards[i] = new(Math.Max(1, capacity / Shards));
        }
    }

    /// <summary>
    /// Registers remembered: those in use, and about as many more as there is room for. What was used since it was last
    /// looked at stays once more, so it may be a few over.
    /// </summary>
    public int Count => _shards.Sum(shard => shard.Count);

    /// <summary>Waits for its turn at <paramref name="register"/>; null if that took longer than allowed.</summary>
    public async ValueTask<RegisterSession?> EnterAsync(
        RegisterId register, TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        var shard = ShardOf(register);
        var session = shard.TryEnter(register);
        if (session is not null)
        {
            return session;
        }

        using var turn = new Waiter(timeout, time, cancellationToken);
        var place = new LinkedListNode<Waiter>(turn);
        session = shard.Enter(register, place);
        if (await turn.Task || !shard.GiveUp(place))
        {
            return session;
        }

        return null;
    }

    public void Leave(RegisterSession session) => ShardOf(session.Register).Leave(session);

    private Shard ShardOf(RegisterId register) => _shards[(register.HashWith(_seed) >> 32) % Shards];

    private sealed class Shard(int capacity)
    {
        private readonly Lock _lock = new();
        private readonly Dictionary<RegisterId, RegisterSession> _sessions = [];
        private readonly Queue<RegisterSession> _byAge = new();
        private long _nameBytes;

        /// <summary>Read without the lock: of this moment or the one before.</summary>
        public int Count => _sessions.Count;

        public RegisterSession? TryEnter(RegisterId register)
        {
            lock (_lock)
            {
                var session = FindOrAdd(register);
                if (session.Busy)
                {
                    return null;
                }

                session.Busy = true;
                session.Used = true;
                return session;
            }
        }

        /// <summary>Enters, and then signals the waiter at once, or queues it up.</summary>
        public RegisterSession Enter(RegisterId register, LinkedListNode<Waiter> place)
        {
            lock (_lock)
            {
                var session = FindOrAdd(register);
                if (session.Busy)
                {
                    (session.Waiting ??= new()).AddLast(place);
                }
                else
                {
                    session.Busy = true;
                    place.Value.Signal();
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
                    next.Value.Signal();
                }
                else
                {
                    session.Busy = false;
                }
            }
        }

        /// <summary>Leaves the queue; false if its turn had come in the same moment.</summary>
        public bool GiveUp(LinkedListNode<Waiter> place)
        {
            lock (_lock)
            {
                // Not by a search: all of a long queue may give up at once.
                var isWaiting = place.List is not null;
                place.List?.Remove(place);
                return isWaiting;
            }
        }

        private RegisterSession FindOrAdd(RegisterId register)
        {
            if (!_sessions.TryGetValue(register, out var session))
            {
                session = new(register);
                _sessions.Add(register, session);
                _nameBytes += register.Key.Length;
                _byAge.Enqueue(session);
                EvictOldest(session);
            }

            return session;
        }

        private bool IsOverfull => _sessions.Count > capacity || _nameBytes > capacity * NameBytes;

        private void EvictOldest(RegisterSession newest)
        {
            const int mostTries = 8;
            for (var tries = Math.Min(mostTries, _byAge.Count); tries > 0 && IsOverfull; tries--)
            {
                var oldest = _byAge.Dequeue();
                if (oldest.Busy || oldest.Used || oldest == newest)
                {
                    oldest.Used = false;
                    _byAge.Enqueue(oldest);
                }
                else
                {
                    _sessions.Remove(oldest.Register);
                    _nameBytes -= oldest.Register.Key.Length;
                }
            }
        }
    }
}
