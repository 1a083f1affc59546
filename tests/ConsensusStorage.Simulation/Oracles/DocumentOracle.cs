using Orleans.Consensus.Clustering;
using Orleans.Consensus.Paxos;

namespace Orleans.Consensus.Simulation.Oracles;

/// <summary>
/// Watches every acceptor that is a document, and holds whoever speaks for it to the word that stands there: it is
/// never taken back, a proposal has the promises of a majority, no two values have one ballot and no two processes
/// either, and documents vote only once all have known one another (S13). From what was accepted, and is durable, it
/// tells what is chosen, and when, without any of the code that reads.
/// </summary>
internal sealed class DocumentOracle(int places, Action<string> violated)
{
    private readonly AcceptorDocument?[] _documents = new AcceptorDocument?[places];
    private readonly HashSet<int> _lost = [];
    private readonly Dictionary<Ballot, int> _processes = [];
    private readonly Dictionary<Ballot, RegisterValue> _proposed = [];
    private readonly Dictionary<Ballot, HashSet<int>> _promised = [];
    private readonly Dictionary<Ballot, HashSet<int>> _accepted = [];
    private readonly Dictionary<Ballot, HashSet<int>> _visible = [];
    private readonly Dictionary<string, HashSet<int>> _known = [];
    private readonly List<(AcceptorState Then, AcceptorDocument Now)>[] _unflushed =
        [.. Enumerable.Range(0, places).Select(_ => new List<(AcceptorState, AcceptorDocument)>())];

    /// <summary>
    /// Told of each value at the moment when a majority of documents has accepted it at one ballot, and is durable.
    /// </summary>
    public Action<Ballot, RegisterValue> Chosen { get; init; } = static (_, _) => { };

    /// <summary>Told of each value when a majority of documents shows it at one ballot, durable or not.</summary>
    public Action<Ballot, RegisterValue> Shown { get; init; } = static (_, _) => { };

    private int Majority => (places / 2) + 1;

    /// <summary>All that was in a place is gone.</summary>
    public void Emptied(int place)
    {
        LostPower(place, default);
        _lost.Add(place);
    }

    /// <summary>What stands in a place outlasts a loss of power there, and with it all that led to it.</summary>
    public void Flushed(int place)
    {
        foreach (var (then, now) in _unflushed[place])
        {
            if (!now.Peers.IsEmpty)
            {
                Of(_known, string.Join(' ', now.Peers)).Add(place);
            }

            if (now.State.Promised > then.Promised)
            {
                Of(_promised, now.State.Promised).Add(place);
            }

            if (now.State.Accepted != then.Accepted)
            {
                Accept(place, now.State.Accepted, now.State.Value!);
            }
        }

        _unflushed[place].Clear();
    }

    /// <summary>A place shows a document again that was replaced; nothing if there was none.</summary>
    public void LostPower(int place, ReadOnlySpan<byte> bytes)
    {
        _documents[place] = bytes.IsEmpty ? null : AcceptorDocument.Decode(bytes);
        _unflushed[place].Clear();
    }

    /// <summary>A document was put in the place of another, outside of the protocol.</summary>
    public void PutBack(int place, ReadOnlySpan<byte> bytes)
    {
        LostPower(place, bytes);
        _lost.Add(place);
    }

    /// <summary>A process has replaced a document.</summary>
    public void Written(int process, int place, ReadOnlySpan<byte> bytes)
    {
        var before = _documents[place];
        var after = AcceptorDocument.Decode(bytes);
        _documents[place] = after;
        if (Problem(place, before, after) is { } problem)
        {
            violated($"A document broke its word: {problem} (place {place + 1}, by process {process}).");
        }

        var (then, now) = (before?.State ?? AcceptorDocument.Fresh, after.State);
        _unflushed[place].Add((then, after));
        if (now.Promised > then.Promised)
        {
            Use(process, now.Promised);
        }

        if (now.Accepted != then.Accepted)
        {
            Use(process, now.Accepted);
            Propose(place, now.Accepted, now.Value!);
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

    private void Propose(int place, Ballot ballot, RegisterValue value)
    {
        if (Of(_promised, ballot).Count < Majority)
        {
            violated($"Something was proposed at {ballot}, which no majority of documents had promised.");
        }

        if (!_proposed.TryAdd(ballot, value) && !IsSame(_proposed[ballot], value))
        {
            violated($"Two values were proposed at {ballot}.");
        }

        var visible = Of(_visible, ballot);
        if (visible.Add(place) && visible.Count == Majority)
        {
            Shown(ballot, value);
        }
    }

    private void Accept(int place, Ballot ballot, RegisterValue value)
    {
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
