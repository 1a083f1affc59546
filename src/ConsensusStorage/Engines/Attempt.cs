using System.Collections.Immutable;
using Orleans.Consensus.Paxos;

namespace Orleans.Consensus.Engines;

/// <summary>
/// One round on its way: feeds replies to the pure <see cref="Round"/> and sends what it asks for. Thread-safe.
/// </summary>
internal sealed class Attempt
{
    private readonly Lock _lock = new();
    private readonly RegisterId _register;
    private readonly ReplicaLink[] _links;
    private readonly Reply?[] _last;
    private readonly TaskCompletionSource<RoundOutcome> _outcome =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Round _round;

    private Attempt(RegisterId register, ReplicaLink[] links, Round round)
    {
        _register = register;
        _links = links;
        _round = round;
        _last = new Reply?[links.Length];
    }

    /// <summary>Completes when the round has ended; never, if it has no quorum.</summary>
    public Task<RoundOutcome> Outcome => _outcome.Task;

    public bool IsOver => _outcome.Task.IsCompleted;

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

    /// <summary>Starts a round over <paramref name="links"/>, one for each replica in order.</summary>
    public static Attempt Begin(RegisterId register, ReplicaLink[] links, RoundStart start)
    {
        var step = Round.Begin(start);
        var attempt = new Attempt(register, links, step.Round);
        attempt.Broadcast(step.Broadcast!);
        return attempt;
    }

    /// <summary>Takes the word of one replica, or that there is none.</summary>
    public void Deliver(int replica, Reply reply)
    {
        Request? broadcast;
        try
        {
            lock (_lock)
            {
                _last[replica] = reply;
                var step = _round.On(replica, reply);
                _round = step.Round;
                broadcast = step.Broadcast;
            }
        }
        catch (ProtocolViolationException violation)
        {
            _outcome.TrySetException(violation);
            return;
        }

        if (broadcast is not null)
        {
            Broadcast(broadcast);
        }
        else if (_round is Round.Finished finished)
        {
            _outcome.TrySetResult(finished.Outcome);
        }
    }

    /// <summary>
    /// Ends the round from outside: no reply moves it from here on, so that what <see cref="ChangeAfter"/> says is
    /// final and no Accept goes out behind the owner's back.
    /// </summary>
    public void Abandon()
    {
        lock (_lock)
        {
            if (_round is not Round.Finished)
            {
                _round = new Round.Finished(
                    _round.Start, _round.ChangeAfter, new RoundOutcome.Refused(Ballot.None, Conflicted: false));
            }
        }

        _outcome.TrySetCanceled();
    }

    /// <summary>What each replica said last, in words.</summary>
    public ImmutableArray<ReplicaAnswer> Answers(ReplicaSet replicas)
    {
        lock (_lock)
        {
            return [.. _last.Select((reply, index) => Describe(replicas[index], reply))];
        }
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
