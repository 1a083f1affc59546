using System.Collections.Immutable;
using System.Diagnostics;
using Orleans.Consensus.Engines;
using Orleans.Consensus.Paxos;

namespace Orleans.Consensus.Clustering;

/// <summary>
/// One register whose acceptors are documents: works before any silo is up, needs no silo to answer, and survives the
/// loss of a minority of the documents. Rounds are those of the engine (CASPaxos §2.2). Thread-safe; one change at a
/// time (S20).
/// </summary>
internal sealed class DocumentRegister(
    ImmutableArray<DocumentAcceptor> acceptors,
    RegisterId register,
    DocumentTimes times,
    TimeProvider time,
    Random random)
{
    /// <summary>Conflicts after which a change gives up (S23).</summary>
    private const int MaxConflicts = 100;

    private readonly ReplicaSet _replicas = new(acceptors.Select(static acceptor => NameOf(acceptor)));
    private readonly BallotSource _ballots = new(ProposerId.Create(random));
    private readonly SemaphoreSlim _turn = new(1);
    private ulong _sequence;

    public int Majority => (acceptors.Length / 2) + 1;

    public RegisterVersion MintVersion() => new(_ballots.Proposer, Interlocked.Increment(ref _sequence));

    /// <summary>
    /// The chosen value, seen without a promise: all documents of a quorum say that they accepted it last, at one
    /// ballot. A value that was chosen before this call is in at least one of them, with that ballot or a higher one,
    /// so nothing older is ever returned (S9). Documents do not lose what they said once it is durable: there is no
    /// host to be fenced. What is merely visible does not count: a loss of power may take it back after it was read.
    /// </summary>
    /// <param name="mayWrite">
    /// Documents whose flush may have failed are written once more. A reader without that right takes what is visible,
    /// too: a list of gateways may be out of date.
    /// </param>
    /// <returns>Not settled if they don't agree: a change is under way, or was left halfway.</returns>
    /// <exception cref="DocumentsUnavailableException">No quorum of documents can be read.</exception>
    public async Task<(RegisterValue? Value, bool IsSettled)> PeekAsync(
        bool mayWrite, CancellationToken cancellationToken)
    {
        var looks = acceptors.Select(acceptor => LookAsync(acceptor, mayWrite, cancellationToken)).ToList();
        var (found, counted) = (0, new List<AcceptorDocument>());
        var problems = new List<string>();
        while (looks.Count > 0)
        {
            var look = await Task.WhenAny(looks);
            looks.Remove(look);
            var (document, isDurable, problem) = await look;
            if (document is null)
            {
                problems.Add(problem!);
                continue;
            }

            found++;
            if (!isDurable && mayWrite)
            {
                continue;
            }

            counted.Add(document);
            if (counted.Count(other => Agree(other, document)) >= Majority)
            {
                return (document.State.Value, true);
            }
        }

        return found >= Majority ? (null, false) : throw DocumentsUnavailableException.Of(problems);
    }

    /// <summary>Applies a change. Does not throw for outcomes: they are the result.</summary>
    public async Task<ChangeResult> ChangeAsync(Change change, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        if (!await TakeTurnAsync(cancellationToken))
        {
            return GiveUp(change, null, contention: true, cancellationToken.IsCancellationRequested);
        }

        try
        {
            return await DriveAsync(change, started, cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task<bool> TakeTurnAsync(CancellationToken cancellationToken)
    {
        using var waiter = new Waiter(times.Request, time, cancellationToken);
        _ = HandOverAsync(waiter);
        return await waiter.Task;
    }

    private async Task HandOverAsync(Waiter waiter)
    {
        await _turn.WaitAsync();
        if (!waiter.TrySignal())
        {
            // It came too late: the next one may have it.
            _turn.Release();
        }
    }

    private async Task<ChangeResult> DriveAsync(Change change, long started, CancellationToken cancellationToken)
    {
        var toBeat = Ballot.None;
        var conflicts = 0;
        Attempt? attempt = null;
        for (var tries = 0; ; tries++)
        {
            var left = times.Request - time.GetElapsedTime(started);
            if (left <= TimeSpan.Zero || cancellationToken.IsCancellationRequested || conflicts > MaxConflicts)
            {
                return GiveUp(change, attempt, conflicts > MaxConflicts, cancellationToken.IsCancellationRequested);
            }

            attempt = new(register, acceptors, StartOf(change, toBeat));
            var outcome = await attempt.RunAsync(left < times.Round ? left : times.Round, time, cancellationToken);
            change = attempt.ChangeAfter;
            if (attempt.Violation is { } violation)
            {
                throw new DocumentsUnavailableException("The membership documents contradict one another.", violation);
            }

            switch (outcome)
            {
                case RoundOutcome.Settled settled:
                    return settled.Result;
                case RoundOutcome.Refused refused:
                    toBeat = Ballot.Max(toBeat, attempt.TimedOut ? refused.ToBeatWithoutTheSilent : refused.ToBeat);
                    conflicts += refused.Conflicted ? 1 : 0;
                    await BackOffAsync(refused.Conflicted, tries, left, cancellationToken);
                    break;
                default:
                    throw new UnreachableException();
            }
        }
    }

    private RoundStart StartOf(Change change, Ballot toBeat)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var known = toBeat == Ballot.Unreachable ? Ballot.None : toBeat;
        var ballot = _ballots.Next(now, known);
        var next = _ballots.Next(now, ballot);
        return new(acceptors.Length, ballot, next, change, MintVersion(), Cached: null, WantPayload: true);
    }

    /// <summary>Jittered pause before the next round (S23), of the length of a round over documents and more.</summary>
    private async Task BackOffAsync(bool conflicted, int tries, TimeSpan left, CancellationToken cancellationToken)
    {
        var longest = Math.Min(conflicted ? 500 : 2000, 20 << Math.Min(tries, 7));
        double jitter;
        lock (random)
        {
            jitter = random.NextDouble();
        }

        var pause = TimeSpan.FromMilliseconds(1 + (longest * jitter));
        using var pausing = new Waiter(pause < left ? pause : left, time, cancellationToken);
        await pausing.Task;
    }

    private ChangeResult GiveUp(Change change, Attempt? attempt, bool contention, bool canceled)
    {
        var answers = attempt?.Answers(_replicas) ?? [];
        if (change.InDoubt.Versions.Contains(change.Version))
        {
            var unknown = canceled ? UnknownReason.Canceled
                : contention ? UnknownReason.Contention
                : UnknownReason.NoQuorum;
            return new ChangeResult.Unknown(change.InDoubt, unknown, answers);
        }

        var reason = canceled ? NotAppliedReason.Canceled
            : contention ? NotAppliedReason.Contention
            : NotAppliedReason.NoQuorum;
        return new ChangeResult.NotApplied(reason, answers);
    }

    private static bool Agree(AcceptorDocument one, AcceptorDocument other) =>
        one.State.Accepted == other.State.Accepted && one.Peers.SequenceEqual(other.Peers);

    private static async Task<(AcceptorDocument? Document, bool IsDurable, string? Problem)> LookAsync(
        DocumentAcceptor acceptor, bool mayWrite, CancellationToken cancellationToken)
    {
        try
        {
            var found = await acceptor.ReadAsync(cancellationToken);
            return found is { Content: { IsFormed: true } content, Tag: var tag }
                ? (content, await acceptor.TryProveAsync(content, tag, mayWrite, cancellationToken), null)
                : (null, false, $"the membership document in {acceptor.Location} is not there, or not in use yet");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return (null, false, exception.Message);
        }
    }

    private static ReplicaId NameOf(DocumentAcceptor acceptor) => new($"{acceptor.Index + 1}");
}

/// <summary>How long things over documents may take.</summary>
/// <param name="Request">A change, from its call to its outcome.</param>
/// <param name="Round">One round, before a new one starts.</param>
internal readonly record struct DocumentTimes(TimeSpan Request, TimeSpan Round);
