using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orleans.Consensus.Diagnostics;
using Orleans.Consensus.Paxos;

namespace Orleans.Consensus.Engines;

/// <summary>
/// The proposer of a silo: drives rounds until a change is settled, its deadline has passed or too many ballots stood
/// in its way (S23). Every try is a new round with a fresh ballot (S1). Thread-safe.
/// </summary>
internal sealed partial class PaxosEngine : IConsensusEngine
{
    private readonly Lock _lock = new();
    private readonly StoreSettings _settings;
    private readonly StoreEnvironment _environment;
    private readonly Shard[] _shards;
    private readonly ConsensusInstruments _instruments;
    private readonly ILogger _logger;
    private readonly ProposerId _writer;
    private readonly RegisterSessions _sessions;
    private readonly CancellationTokenSource _stopping = new();
    private BallotSource _ballots;
    private ulong _sequence;
    private int _pending;

    public PaxosEngine(
        StoreSettings settings,
        StoreEnvironment environment,
        Shard[] shards,
        ConsensusInstruments instruments,
        ILogger logger)
    {
        _settings = settings;
        _environment = environment;
        _shards = shards;
        _instruments = instruments;
        _logger = logger;
        _writer = ProposerId.Create(environment.Random);
        _ballots = new(_writer);
        _sessions = new(settings.PromiseCacheSize, environment.Random.NextInt64());
    }

    /// <summary>Changes that are under way.</summary>
    public int Pending => Volatile.Read(ref _pending);

    /// <summary>Registers that are remembered, each with one promise at most.</summary>
    public int Sessions => _sessions.Count;

    private TimeProvider Time => _environment.Time;

    public RegisterVersion MintVersion() => new(_writer, Interlocked.Increment(ref _sequence));

    /// <summary>Ends waiting changes as they stand, and takes no new ones.</summary>
    public void Stop() => _stopping.Cancel();

    public async Task<ChangeResult> ChangeAsync(
        RegisterId register, Change change, CancellationToken cancellationToken)
    {
        var kind = KindOf(change);
        var started = Time.GetTimestamp();
        using var activity = ConsensusInstruments.StartChange(kind, _settings.Store);
        var result = await AdmitAsync(register, change, started, cancellationToken);
        var outcome = OutcomeOf(result);
        activity?.SetTag("consensus.outcome", outcome);
        _instruments.Change(kind, outcome, Time.GetElapsedTime(started));
        if (result is ChangeResult.Unknown unknown)
        {
            _instruments.InDoubt(unknown.Reason.ToString());
            LogInDoubt(_logger, register, unknown.Reason);
        }

        return result;
    }

    private async Task<ChangeResult> AdmitAsync(
        RegisterId register, Change change, long started, CancellationToken cancellationToken)
    {
        if (_stopping.IsCancellationRequested)
        {
            return new ChangeResult.NotApplied(NotAppliedReason.Stopped, []);
        }

        if (Interlocked.Increment(ref _pending) > _settings.MaxPendingChanges)
        {
            Interlocked.Decrement(ref _pending);
            return new ChangeResult.NotApplied(NotAppliedReason.Overloaded, []);
        }

        try
        {
            using var stop = cancellationToken.CanBeCanceled
                ? CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stopping.Token)
                : null;
            var token = stop?.Token ?? _stopping.Token;
            var session = await _sessions.EnterAsync(register, _settings.RequestTimeout, Time, token);
            if (session is null)
            {
                // Others were before it at this register for all of its time.
                return GiveUp(
                    ShardOf(register).Directory, change, null, _settings.MaxConflicts + 1, cancellationToken);
            }

            try
            {
                return await DriveAsync(session, change, started, token, cancellationToken);
            }
            finally
            {
                _sessions.Leave(session);
            }
        }
        finally
        {
            Interlocked.Decrement(ref _pending);
        }
    }

    private async Task<ChangeResult> DriveAsync(
        RegisterSession session, Change change, long started, CancellationToken token, CancellationToken caller)
    {
        var shard = ShardOf(session.Register);
        var directory = shard.Directory;
        Attempt? attempt = null;
        var toBeat = Ballot.None;
        var conflicts = 0;
        var tries = 0;
        var wasBarred = false;
        var wantPayload = change is Change.Read;
        while (true)
        {
            var left = _settings.RequestTimeout - Time.GetElapsedTime(started);
            if (left <= TimeSpan.Zero || token.IsCancellationRequested || conflicts > _settings.MaxConflicts)
            {
                return GiveUp(directory, change, attempt, conflicts, caller);
            }

            if (!directory.HasQuorum)
            {
                if (directory.IsBarred)
                {
                    return GiveUp(directory, change, attempt, conflicts, caller, isBarred: true);
                }

                await UntilReplicasAreFoundAsync(directory, left, token);
                continue;
            }

            var start = StartOf(session, change, toBeat, wantPayload);
            attempt = new(session.Register, shard.Links, start);
            var timeout = left < _settings.RoundTimeout ? left : _settings.RoundTimeout;
            var outcome = await attempt.RunAsync(timeout, Time, token);
            change = attempt.ChangeAfter;
            if (attempt.Violation is { } violation)
            {
                LogViolation(_logger, violation, session.Register);
                return GiveUp(directory, change, attempt, conflicts, caller);
            }

            var isBarred = wasBarred && attempt.IsBarred;
            wasBarred = attempt.IsBarred;
            switch (outcome)
            {
                case RoundOutcome.Settled settled:
                    session.Keep(settled.Promise);
                    _instruments.Round("settled", settled.OneRoundTrip ? 1 : 2);
                    return settled.Result;
                case RoundOutcome.PayloadMissing:
                    wantPayload = true;
                    _instruments.Round("payload_missing", 1);
                    break;
                case RoundOutcome.Refused refused when attempt.TimedOut:
                    toBeat = Beat(toBeat, refused.ToBeatWithoutTheSilent, attempt);
                    _instruments.Round("timeout", 2);
                    break;
                case RoundOutcome.Refused when isBarred:
                    // Twice in a row, the second time with a ballot of this silo's clock: waiting won't help.
                    return GiveUp(directory, change, attempt, conflicts, caller, isBarred: true);
                case RoundOutcome.Refused refused:
                    // Twice refused, and still without a word of the others: they won't help.
                    toBeat = Beat(
                        toBeat, conflicts == 0 ? refused.ToBeat : refused.ToBeatWithoutTheSilent, attempt);
                    conflicts += refused.Conflicted ? 1 : 0;
                    await BackOffAsync(
                        refused, tries++, _settings.RequestTimeout - Time.GetElapsedTime(started), token);
                    break;
                default:
                    throw new System.Diagnostics.UnreachableException();
            }
        }
    }

    /// <summary>
    /// What the next round has to beat. If somebody did not believe this one's ballot, what it had to beat may be what
    /// too few believe, and others may be back: then only what this round met counts.
    /// </summary>
    private static Ballot Beat(Ballot before, Ballot met, Attempt attempt) =>
        attempt.WasDisbelieved ? met : Ballot.Max(before, met);

    private RoundStart StartOf(RegisterSession session, Change change, Ballot toBeat, bool wantPayload)
    {
        var cached = session.Take();
        var now = Time.GetUtcNow().ToUnixTimeMilliseconds();
        Ballot ballot;
        Ballot next;
        lock (_lock)
        {
            toBeat = Ballot.Max(toBeat, cached?.Ballot ?? Ballot.None);
            var source = SourceFor(now, toBeat);
            ballot = source.Next(now, toBeat);
            next = source.Next(now, ballot);
        }

        return new(_settings.Replicas.Count, ballot, next, change, MintVersion(), cached, wantPayload);
    }

    /// <summary>
    /// The source of this engine's ballots. A ballot far ahead of the clock is beaten with one of its own, under a
    /// fresh proposer id, so that one register that somebody's wrong clock has touched does not drag all others along
    /// (S4). Likewise if it was this silo's clock that was wrong and is right again.
    /// </summary>
    private BallotSource SourceFor(long now, Ballot toBeat)
    {
        var ahead = Ballot.RoundAt(now) + (Ballot.Hour / 4);
        if (_ballots.Last > ahead)
        {
            _ballots = new(ProposerId.Create(_environment.Random));
        }

        return toBeat.Round > ahead ? new(ProposerId.Create(_environment.Random)) : _ballots;
    }

    private async Task UntilReplicasAreFoundAsync(ReplicaDirectory directory, TimeSpan left, CancellationToken token)
    {
        using var changed = directory.QuorumFound.Next(left, Time, token);
        if (!directory.HasQuorum)
        {
            directory.Nudge();
            await changed.Task;
        }
    }

    /// <summary>
    /// Jittered exponential pause before the next round (S23): short after a conflict, longer without quorum.
    /// </summary>
    private async Task BackOffAsync(
        RoundOutcome.Refused refused, int tries, TimeSpan left, CancellationToken token)
    {
        _instruments.Round(refused.Conflicted ? "conflict" : "no_quorum", 2);
        if (refused.Conflicted)
        {
            _instruments.Conflict();
        }

        var shortest = refused.Conflicted ? 1 : 20;
        var longest = refused.Conflicted ? 100 : 500;
        var ceiling = Math.Min(longest, shortest << Math.Min(tries, 10));
        double jitter;
        lock (_lock)
        {
            jitter = _environment.Random.NextDouble();
        }

        var pause = TimeSpan.FromMilliseconds(ceiling * (0.5 + (jitter / 2)));
        var allowed = pause < left ? pause : left;
        if (allowed > TimeSpan.Zero)
        {
            using var pausing = new Waiter(allowed, Time, token);
            await pausing.Task;
        }
    }

    private Shard ShardOf(RegisterId register) => _shards[register.GroupOf(_shards.Length)];

    private ChangeResult GiveUp(
        ReplicaDirectory directory,
        Change change,
        Attempt? attempt,
        int conflicts,
        CancellationToken caller,
        bool isBarred = false)
    {
        var answers = Answers(directory, attempt);
        var contention = conflicts > _settings.MaxConflicts;
        var stopped = _stopping.IsCancellationRequested;
        var violated = attempt?.Violation is not null;
        if (change.InDoubt.Versions.Contains(change.Version))
        {
            var unknown = violated ? UnknownReason.Violation
                : caller.IsCancellationRequested ? UnknownReason.Canceled
                : stopped ? UnknownReason.Stopped
                : contention ? UnknownReason.Contention
                : isBarred ? UnknownReason.Refused
                : UnknownReason.NoQuorum;
            return new ChangeResult.Unknown(change.InDoubt, unknown, answers);
        }

        var reason = violated ? NotAppliedReason.Violation
            : caller.IsCancellationRequested ? NotAppliedReason.Canceled
            : stopped ? NotAppliedReason.Stopped
            : contention ? NotAppliedReason.Contention
            : isBarred ? NotAppliedReason.Refused
            : NotAppliedReason.NoQuorum;
        return new ChangeResult.NotApplied(reason, answers);
    }

    /// <summary>What each replica said in the last round, if there was one, and else what is known of it.</summary>
    private ImmutableArray<ReplicaAnswer> Answers(ReplicaDirectory directory, Attempt? attempt)
    {
        var said = attempt?.Answers(_settings.Replicas);
        var needed = Votes.QuorumOf(_settings.Replicas.Count);
        return [.. directory.Standings.Select((standing, index) => standing.Tell(said?[index], needed))];
    }

    private static string KindOf(Change change) => change switch
    {
        Change.Read => "read",
        Change.Write => "write",
        _ => "clear",
    };

    private static string OutcomeOf(ChangeResult result) => result switch
    {
        ChangeResult.Applied or ChangeResult.Found => "ok",
        ChangeResult.Stale => "stale",
        ChangeResult.NotApplied => "not_applied",
        _ => "unknown",
    };

    [LoggerMessage(140, LogLevel.Debug,
        "Whether the change of {Register} was applied is unknown ({Reason}); a retry or a read will tell.")]
    private static partial void LogInDoubt(ILogger logger, RegisterId register, UnknownReason reason);

    [LoggerMessage(141, LogLevel.Critical,
        "The replicas contradict one another about {Register}; nothing more is done with it here.")]
    private static partial void LogViolation(ILogger logger, Exception violation, RegisterId register);
}
