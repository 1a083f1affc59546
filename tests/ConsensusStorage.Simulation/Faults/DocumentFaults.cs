using System.Collections.Immutable;
using Orleans.Consensus.Clustering;
using Orleans.Consensus.Simulation.Documents;
using Orleans.Consensus.Simulation.Kernel;
using Orleans.Consensus.Simulation.Scenarios;

namespace Orleans.Consensus.Simulation.Faults;

/// <summary>Everything that goes wrong with places of documents.</summary>
internal sealed class DocumentFaults
{
    private static readonly TimeSpan LateBy = TimeSpan.FromSeconds(3);

    private readonly ImmutableArray<DocumentPlace> _places;
    private readonly SimulatedTime _time;
    private readonly AccountTroubles _troubles;
    private readonly ReadOnlyMemory<byte>?[] _copies;

    /// <summary>Hooks itself into the places.</summary>
    /// <param name="timeOut">How long whoever asks waits for an answer that doesn't come.</param>
    /// <param name="areDirectories">What can be seen in the places is not durable before it is flushed.</param>
    public DocumentFaults(
        ImmutableArray<DocumentPlace> places,
        TimeSpan timeOut,
        bool areDirectories,
        SimulatedTime time,
        Random random)
    {
        (_places, _time, _troubles) = (places, time, new(places.Length, time, random));
        _copies = new ReadOnlyMemory<byte>?[places.Length];
        for (var place = 0; place < places.Length; place++)
        {
            var number = place;
            (places[place].TimeOut, places[place].LateBy) = (timeOut, LateBy);
            places[place].Plan = request => _troubles.DecideAsync(number, request.Process, request.IsChange);
            places[place].Answering = _troubles.AnswerAsync;
            places[place].Flushing = areDirectories ? () => _troubles.FlushAsync(number) : null;
        }
    }

    /// <summary>The document whose copies are put back.</summary>
    public required string Name { get; init; }

    /// <summary>Told of places that are emptied.</summary>
    public Action<int> Emptied { get; init; } = static _ => { };

    /// <summary>Told of places where an older copy is put back.</summary>
    public Action<int> PutBack { get; init; } = static _ => { };

    /// <summary>Told of places where the power fails, and of documents that are not what they were.</summary>
    public Action<int, IReadOnlyList<string>> LostPower { get; init; } = static (_, _) => { };

    /// <summary>Whether everybody who runs knows a place's document as it is now.</summary>
    public required Func<int, bool> IsKnown { get; init; }

    /// <summary>An older copy stands in some place: nobody who does not know better may start (S13).</summary>
    public bool HasOlderCopy { get; private set; }

    /// <summary>Places that are lost for good.</summary>
    public IReadOnlySet<int> Lost => _troubles.Lost;

    /// <summary>Trouble at all places, before the documents are there.</summary>
    /// <returns>Ends it.</returns>
    public Action BeginFormation(Random random)
    {
        FaultKind[] kinds =
        [
            FaultKind.LateAppends, FaultKind.UnansweredAppends, FaultKind.LostRequests, FaultKind.Throttling,
            FaultKind.LostFlushes,
        ];
        var kind = kinds[random.Next(kinds.Length)];
        var plan = new PlannedFault(-1, kind, TimeSpan.Zero, TimeSpan.Zero, -1, 0);
        return _troubles.Begin(new(plan, static _ => { }), null, random.Next(25), isOneWay: false);
    }

    /// <summary>Power fails in one place, or in all of them.</summary>
    public void LosePower(int? place)
    {
        for (var number = 0; number < _places.Length; number++)
        {
            if ((place ?? number) == number)
            {
                LostPower(number, _places[number].LosePower());
            }
        }
    }

    public async Task StrikeAsync(ActiveFault fault, Random details)
    {
        var place = fault.Silo % _places.Length;
        _copies[place] ??= _places[place].Find(Name)?.Bytes;
        switch (fault.Kind)
        {
            case FaultKind.LostAccount when _troubles.CanMiss(place):
                _troubles.Lost.Add(place);
                Empty(place);
                fault.Strike();
                break;
            case FaultKind.LostAccount:
                break;
            case FaultKind.OlderCopy when _troubles.CanMiss(place):
                await PutBackAsync(fault, place);
                break;
            case FaultKind.OlderCopy:
                break;
            case FaultKind.PlacePower:
                fault.Strike();
                LosePower(details.Next(4) == 0 ? null : place);
                break;
            default:
                await _troubles.StrikeAsync(fault, details);
                break;
        }
    }

    /// <summary>
    /// Puts back the copy of a document once all who run know a later one; after a while somebody takes it away, as its
    /// message says. Nobody starts meanwhile, and nothing is on its way that the copy might get.
    /// </summary>
    private async Task PutBackAsync(ActiveFault fault, int place)
    {
        var until = _time.GetUtcNow() + fault.Plan.Lasts;
        while (!IsKnown(place) || _places[place].UnderWay > 0 || !IsOlder(place))
        {
            await _time.Pass(TimeSpan.FromMilliseconds(0.5));
            if (_time.GetUtcNow() > until)
            {
                return;
            }
        }

        if (HasOlderCopy || !_troubles.CanMiss(place))
        {
            return;
        }

        _troubles.Lost.Add(place);
        HasOlderCopy = true;
        _places[place].Put(Name, _copies[place]!.Value);
        PutBack(place);
        fault.Strike();
        await _time.Pass(fault.Plan.Lasts);
        Empty(place);
        HasOlderCopy = false;
    }

    /// <summary>Something was promised in a document since it was copied.</summary>
    private bool IsOlder(int place) =>
        _copies[place] is { } copy
        && _places[place].Find(Name) is { } found
        && AcceptorDocument.Decode(copy.Span).State.Highest < AcceptorDocument.Decode(found.Bytes.Span).State.Highest;

    private void Empty(int place)
    {
        _places[place].Empty();
        Emptied(place);
    }
}
