using Orleans.Consensus.Paxos;
using Orleans.Consensus.Simulation.Clusters;
using Orleans.Consensus.Transport;
using Orleans.Runtime;
using Request = Orleans.Consensus.Paxos.Request;

namespace Orleans.Consensus.Simulation.Oracles;

/// <summary>
/// Listens to every acceptor and holds it to its word: what it has once promised or accepted, it never falls behind
/// again, whatever it went through; no two values are proposed at one ballot; and only the silo that opened a log last
/// answers from it. It hears of a message when it arrives and of the answer when it leaves.
/// </summary>
internal sealed class WireOracle(Func<LogId, SiloAddress?> ownerOf, Action<string> violated) : IWireWatch
{
    private readonly Dictionary<(LogId, RegisterId), Word> _words = [];
    private readonly Dictionary<(RegisterId, Ballot), RegisterVersion> _proposed = [];

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

        if (ownerOf(batch.Log) is { } owner && !owner.Equals(to))
        {
            violated($"A fenced host answered: {to} for replica {batch.Replica}, whose log {owner} had opened since.");
        }

        for (var i = 0; i < reply.Replies.Length; i++)
        {
            var (register, request) = batch.Requests[i];
            var then = ((Word[])arrival!)[i];
            if (Problem(then, request, reply.Replies[i]) is { } problem)
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
