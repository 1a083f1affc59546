using Orleans.Consensus.Paxos;
using Orleans.Consensus.Simulation.Clusters;
using Orleans.Consensus.Transport;
using Orleans.Runtime;
using Request = Orleans.Consensus.Paxos.Request;

namespace Orleans.Consensus.Simulation.Oracles;

/// <summary>
/// Listens to every acceptor and holds it to its word: what it has once promised or accepted, it never falls behind
/// again, whatever it went through; no two values are proposed at one ballot; and whoever says yes has it in the log as
/// its last owner knows it. Only the silo that opened a log last answers from it; where a log may be taken over from
/// somebody who runs on, an answer may be under way meanwhile, and a former host may repeat what it has once said. It
/// hears of a message when it arrives and of the answer when it leaves.
/// </summary>
/// <param name="ownerOf">Who opened a log last.</param>
/// <param name="isBacked">Whether what an answer says is in a log.</param>
/// <param name="isShared">Logs may be taken over from somebody who runs on.</param>
internal sealed class WireOracle(
    Func<LogId, SiloAddress?> ownerOf,
    Func<LogId, RegisterId, Reply, bool> isBacked,
    bool isShared,
    Action<string> violated) : IWireWatch
{
    private readonly Dictionary<(LogId, RegisterId), Word> _words = [];
    private readonly Dictionary<(RegisterId, Ballot), RegisterVersion> _proposed = [];

    /// <summary>Told of situations, for the statistics.</summary>
    public Action<string> Saw { get; init; } = static _ => { };

    /// <summary>Sees all that is said: for the trace and the statistics.</summary>
    public Action<SiloAddress, SiloAddress, RequestBatch, BatchReply>? Heard { get; set; }

    public object? Arrived(SiloAddress from, SiloAddress to, RequestBatch batch)
    {
        var words = new Word[batch.Requests.Length];
        for (var i = 0; i < words.Length; i++)
        {
            var (register, request) = batch.Requests[i];
            words[i] = _words.GetValueOrDefault((batch.Log, register));
            if (request is Accept accept
                && !_proposed.TryAdd((register, accept.Ballot), accept.Value.Version)
                && _proposed[(register, accept.Ballot)] != accept.Value.Version)
            {
                violated($"Two values were proposed for {register} at {accept.Ballot}.");
            }
        }

        return words;
    }

    public void Answered(SiloAddress from, SiloAddress to, RequestBatch batch, object? arrival, BatchReply reply)
    {
        Heard?.Invoke(from, to, batch, reply);
        if (reply.Refusal is not null)
        {
            return;
        }

        var owner = ownerOf(batch.Log);
        var isFormer = owner is not null && !owner.Equals(to);
        if (isFormer && !isShared)
        {
            violated($"A fenced host answered: {to} for replica {batch.Replica}, whose log {owner} had opened since.");
        }

        if (isFormer && isShared)
        {
            Saw("a host answered whose log was taken over meanwhile");
        }

        for (var i = 0; i < reply.Replies.Length; i++)
        {
            var (register, request) = batch.Requests[i];
            var then = ((Word[])arrival!)[i];
            if (!isBacked(batch.Log, register, reply.Replies[i]))
            {
                violated(
                    $"An answer is not in the log: {reply.Replies[i]} ({register}, replica {batch.Replica}, {to}).");
            }

            if (Problem(isFormer ? Word.Nothing : then, request, reply.Replies[i]) is { } problem)
            {
                violated(
                    $"An acceptor broke its word: {problem} ({register}, replica {batch.Replica}). "
                    + $"It had given {then}.");
            }

            ref var now = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(
                _words, (batch.Log, register), out _);
            now = now.With(request, reply.Replies[i]);
        }
    }

    private static string? Problem(Word word, Request request, Reply reply) => reply switch
    {
        _ when reply.Ballot != request.Ballot || reply.Phase != request.Phase => $"{reply} does not answer {request}",
        Promise promise when promise.Ballot <= word.Promised => $"it promised {promise.Ballot}",
        Promise promise when promise.Accepted < word.Accepted => $"it says it accepted {promise.Accepted} last",
        Promise promise when promise.Accepted >= promise.Ballot => $"it promised below {promise.Accepted}",
        Promise promise when promise.Accepted.IsNone != promise.Value is null => "a ballot without a value",
        Accepted accepted when accepted.Ballot == word.Accepted => null,
        Accepted accepted when accepted.Ballot < word.Promised => $"it accepted {accepted.Ballot}",
        Accepted accepted when accepted.Ballot < word.Accepted => $"it accepted {accepted.Ballot}",
        Conflict conflict when conflict.ToBeat < request.Ballot => $"it refused {conflict.Ballot} for no reason",
        _ => null,
    };

    /// <summary>The highest ballots that an acceptor has given its word for.</summary>
    private readonly record struct Word(Ballot Promised, Ballot Accepted)
    {
        /// <summary>A former host knows nothing of what was promised since; its log vouches for what it says.</summary>
        public static Word Nothing => default;

        public Word With(Request request, Reply reply) => reply switch
        {
            Promise promise => new(
                Ballot.Max(Promised, promise.Ballot), Ballot.Max(Accepted, promise.Accepted)),
            Accepted accepted when request is Accept accept => new(
                Ballot.Max(Promised, Ballot.Max(accepted.Ballot, accept.Next)),
                Ballot.Max(Accepted, accepted.Ballot)),
            _ => this,
        };

        public override string ToString() => $"promise {Promised}, accepted {Accepted}";
    }
}
