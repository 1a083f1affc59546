using System.Collections.Immutable;
using Orleans.Consensus.Paxos;

namespace Orleans.Consensus.Engines;

/// <summary>
/// One round on its way: feeds replies to the pure <see cref="Round"/> and sends what it asks for. Thread-safe.
/// </summary>
internal sealed class Attempt
{
    /// <summary>How long a lost round waits for the last replicas to refuse, too.</summary>
    private static readonly TimeSpan StragglerPatience = TimeSpan.FromMilliseconds(100);

    private readonly Lock _lock = new();
    private readonly RegisterId _register;
    private readonly IReadOnlyList<IAcceptorLink> _links;
    private readonly Reply?[] _last;
    private readonly Request _first;

    private Round _round;
    private Waiter? _waiter;

    /// <summary>A round over <paramref name="links"/>, one for each replica in order; not begun yet.</summary>
    public Attempt(RegisterId register, IReadOnlyList<IAcceptorLink> links, RoundStart start)
    {
        var step = Round.Begin(start);
        _register = register;
        _links = links;
        _round = step.Round;
        _first = step.Broadcast!;
        _last = new Reply?[links.Count];
    }

    /// <summary>What the replies showed that the protocol rules out; the round ended there.</summary>
    public ProtocolViolationException? Violation { get; private set; }

    /// <summary>Time ran out before the round ended.</summary>
    public bool TimedOut { get; private set; }

    /// <summary>A replica took its ballot for too far ahead (S4).</summary>
    public bool WasDisbelieved
    {
        get
        {
            lock (_lock)
            {
                return _last.Any(reply => reply is TooFarAhead);
            }
        }
    }

    /// <summary>So many refused for causes that last that there is no quorum without them.</summary>
    public bool IsBarred
    {
        get
        {
            lock (_lock)
            {
                return _last.Length - _last.Count(reply => reply is TooFarAhead or NoAnswer { Lasts: true })
                    < Votes.QuorumOf(_last.Length);
            }
        }
    }

    /// <summary>Nobody waits for a reply any more.</summary>
    public bool IsOver => Volatile.Read(ref _round) is Round.Finished;

    /// <summary>The change as its owner has to see it now.</summary>
    public Change ChangeAfter
    {
        get
        {
            lock (_lock)
            {
                return _round.ChangeAfter;
            }
        }
    }

    /// <summary>It is over, and a quorum stands behind its result.</summary>
    public bool IsSettled => Volatile.Read(ref _round) is Round.Finished { Outcome: RoundOutcome.Settled };

    /// <summary>
    /// Runs the round. If it has not ended in time it ends now: no reply moves it from here on, so that what
    /// <see cref="ChangeAfter"/> says is final, and no Accept goes out behind its owner's back.
    /// </summary>
    /// <returns>The outcome; a refusal by those who have answered if time ran out.</returns>
    public async Task<RoundOutcome> RunAsync(TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        using var waiter = new Waiter(timeout, time, cancellationToken);
        _waiter = waiter;
        Broadcast(_first);
        await waiter.Task;
        lock (_lock)
        {
            TimedOut = _round is not Round.Finished && !_round.IsLost;
            return Abandon().Outcome;
        }
    }

    /// <summary>Takes the word of one replica, or that there is none.</summary>
    public void Deliver(int replica, Reply reply)
    {
        Request? broadcast = null;
        lock (_lock)
        {
            try
            {
                _last[replica] = reply;
                (_round, broadcast) = _round.On(replica, reply);
                if (_round.IsLost)
                {
                    _waiter!.Hurry(StragglerPatience);
                }
            }
            catch (ProtocolViolationException violation)
            {
                Violation = violation;
                Abandon();
            }
        }

        if (broadcast is not null)
        {
            Broadcast(broadcast);
        }
        else if (IsOver)
        {
            _waiter!.Signal();
        }
    }

    /// <summary>What each replica said last, in words.</summary>
    public ImmutableArray<ReplicaAnswer> Answers(ReplicaSet replicas)
    {
        lock (_lock)
        {
            return [.. _last.Select((reply, index) => Describe(replicas[index], reply))];
        }
    }

    private Round.Finished Abandon()
    {
        var finished = _round.Abandoned();
        _round = finished;
        return finished;
    }

    private static ReplicaAnswer Describe(ReplicaId replica, Reply? reply) => reply switch
    {
        null => new(replica, false, "no answer yet"),
        NoAnswer none => new(replica, false, none.Why),
        Conflict conflict => new(replica, true, $"refused: ballot {conflict.ToBeat} stands"),
        TooFarAhead => new(replica, true, "refused: the clock of this silo is more than an hour ahead of it"),
        _ => new(replica, true, "agreed"),
    };

    private void Broadcast(Request request)
    {
        foreach (var link in _links)
        {
            link.Post(new(_register, request, this));
        }
    }
}
