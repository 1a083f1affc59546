using Orleans.Consensus.Clustering;
using Orleans.Consensus.Paxos;

namespace Orleans.Consensus.Simulation.Oracles;

/// <summary>
/// Watches every acceptor that is a document, and holds whoever speaks for it to the word that stands there: it is
/// never taken back, a proposal has the promises of a majority, no two values have one ballot and no two processes
/// either, and documents vote only once all have known one another (S13). From what was accepted it tells what is
/// chosen, and when, without any of the code that reads.
/// </summary>
internal sealed class DocumentOracle(int places, Action<string> violated)
{
    private readonly AcceptorDocument?[] _documents = new AcceptorDocument?[places];
    private readonly HashSet<int> _lost = [];
    private readonly Dictionary<Ballot, int> _processes = [];
    private readonly Dictionary<Ballot, RegisterValue> _proposed = [];
    private readonly Dictionary<Ballot, HashSet<int>> _promised = [];
    private readonly Dictionary<Ballot, HashSet<int>> _accepted = [];
    private readonly Dictionary<string, HashSet<int>> _known = [];

    /// <summary>Told of each value at the moment when a majority of documents has accepted it at one ballot.</summary>
    public Action<Ballot, RegisterValue> Chosen { get; init; } = static (_, _) => { };

    private int Majority => (places / 2) + 1;

    /// <summary>All that was in a place is gone.</summary>
    public void Emptied(int place)
    {
        _documents[place] = null;
        _lost.Add(place);
    }

    /// <summary>A document was put in the place of another, outside of the protocol.</summary>
    public void PutBack(int place, ReadOnlySpan<byte> bytes)
    {
        _documents[place] = AcceptorDocument.Decode(bytes);
        _lost.Add(place);
    }

    /// <summary>A process has replaced a document.</summary>
    public void Written(int process, int place, ReadOnlySpan<byte> bytes)
    {
        var before = _documents[place];
        var after = AcceptorDocument.Decode(bytes);
        _documents[place] = after;
        if (!after.Peers.IsEmpty)
        {
            Of(_known, string.Join(' ', after.Peers)).Add(place);
        }

        if (Problem(place, before, after) is { } problem)
        {
            violated($"A document broke its word: {problem} (place {place + 1}, by process {process}).");
        }

        var (then, now) = (before?.State ?? AcceptorDocument.Fresh, after.State);
        if (now.Promised > then.Promised)
        {
            Use(process, now.Promised);
            Of(_promised, now.Promised).Add(place);
        }

        if (now.Accepted != then.Accepted)
        {
            Use(process, now.Accepted);
            Accept(place, now.Accepted, now.Value!);
        }
    }

    private string? Problem(int place, AcceptorDocument? before, AcceptorDocument after)
    {
        var (then, now) = (before?.State ?? AcceptorDocument.Fresh, after.State);
        var isSaid = then.Promised != now.Promised || then.Accepted != now.Accepted;
        return before switch
        {
            _ when after.Index != place => $"it is number {after.Index + 1}",
            _ when _lost.Contains(place) && (after.IsFormed || isSaid) => "its place was lost, and it votes",
            not null when before.Id != after.Id => "another one stands in its place",
            { Peers.IsEmpty: false } when !before.Peers.SequenceEqual(after.Peers) => "it knows other documents",
            { IsFormed: true } when !after.IsFormed => "it has no vote any more",
            _ when after.IsFormed && before?.IsFormed != true && !AllKnow(after) =>
                "not all documents know one another",
            _ when isSaid && before?.IsFormed != true => "it had no vote",
            _ when now.Promised < then.Promised => $"it had promised {then.Promised}, and now {now.Promised}",
            _ when now.Accepted < then.Accepted => $"it had accepted {then.Accepted}, and now {now.Accepted}",
            _ when now.Accepted != then.Accepted && now.Accepted < then.Promised =>
                $"it had promised {then.Promised}, and accepted {now.Accepted}",
            _ when now.Accepted == then.Accepted && now.Value?.Version != then.Value?.Version =>
                $"it has two values at {now.Accepted}",
            _ => null,
        };
    }

    private bool AllKnow(AcceptorDocument document) =>
        Of(_known, string.Join(' ', document.Peers)).Count == places;

    private void Accept(int place, Ballot ballot, RegisterValue value)
    {
        if (Of(_promised, ballot).Count < Majority)
        {
            violated($"Something was proposed at {ballot}, which no majority of documents had promised.");
        }

        if (!_proposed.TryAdd(ballot, value) && !IsSame(_proposed[ballot], value))
        {
            violated($"Two values were proposed at {ballot}.");
        }

        var accepted = Of(_accepted, ballot);
        if (accepted.Add(place) && accepted.Count == Majority)
        {
            Chosen(ballot, value);
        }
    }

    private void Use(int process, Ballot ballot)
    {
        if (!_processes.TryAdd(ballot, process) && _processes[ballot] != process)
        {
            violated($"Two processes used {ballot}: {_processes[ballot]} and {process}.");
        }
    }

    private static bool IsSame(RegisterValue one, RegisterValue other) =>
        one.Version == other.Version && BytesOf(one).SequenceEqual(BytesOf(other));

    private static ReadOnlySpan<byte> BytesOf(RegisterValue value) =>
        value.Payload is PayloadBytes payload ? payload.Bytes.Span : default;

    private static HashSet<int> Of<T>(Dictionary<T, HashSet<int>> sets, T key)
        where T : notnull
    {
        if (!sets.TryGetValue(key, out var set))
        {
            sets[key] = set = [];
        }

        return set;
    }
}
