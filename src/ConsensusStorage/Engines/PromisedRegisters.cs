using Orleans.Consensus.Paxos;

namespace Orleans.Consensus.Engines;

/// <summary>
/// Registers of which nothing but a promise is held, most of them asked for by reads of what was never written. In the
/// order of their last promises, so that old ones are found without a search. Single-threaded.
/// </summary>
internal sealed class PromisedRegisters
{
    private readonly Dictionary<RegisterId, LinkedListNode<Entry>> _entries = [];
    private readonly LinkedList<Entry>[] _byAge;

    public PromisedRegisters(int groups)
    {
        _byAge = new LinkedList<Entry>[groups];
        for (var group = 0; group < groups; group++)
        {
            _byAge[group] = new();
        }
    }

    public int Count => _entries.Count;

    /// <summary>Bytes of their names, which may be much more than all the rest.</summary>
    public long NameBytes { get; private set; }

    public AcceptorState? Find(RegisterId register) =>
        _entries.TryGetValue(register, out var node) ? node.Value.State : null;

    /// <summary>Adds it as the latest, or moves it there. Returns what was held before, if anything.</summary>
    public AcceptorState? Set(int group, RegisterId register, AcceptorState state)
    {
        if (_entries.TryGetValue(register, out var node))
        {
            var before = node.Value.State;
            _byAge[group].Remove(node);
            node.Value = new(register, state);
            _byAge[group].AddLast(node);
            return before;
        }

        _entries.Add(register, _byAge[group].AddLast(new Entry(register, state)));
        NameBytes += register.Key.Length;
        return null;
    }

    /// <summary>Returns what was held, if anything.</summary>
    public AcceptorState? Remove(int group, RegisterId register)
    {
        if (!_entries.Remove(register, out var node))
        {
            return null;
        }

        _byAge[group].Remove(node);
        NameBytes -= register.Key.Length;
        return node.Value.State;
    }

    /// <summary>Whether a floor at <paramref name="floor"/> would free the oldest of a group.</summary>
    public bool WouldFree(int group, Ballot floor) =>
        _byAge[group].First is { } oldest && oldest.Value.State.IsCoveredBy(floor);

    /// <summary>The group that has the most of them.</summary>
    public int FullestGroup()
    {
        var fullest = 0;
        for (var group = 1; group < _byAge.Length; group++)
        {
            fullest = _byAge[group].Count > _byAge[fullest].Count ? group : fullest;
        }

        return fullest;
    }

    /// <summary>The ballot that half of the promises of a group are not above. Looks at all of them.</summary>
    public Ballot MedianOf(int group)
    {
        var promised = _byAge[group].Select(entry => entry.State.Promised).ToArray();
        Array.Sort(promised);
        return promised.Length == 0 ? Ballot.None : promised[(promised.Length - 1) / 2];
    }

    /// <summary>Forgets those that the floor covers (S11). Looks at all of the group: for now and then.</summary>
    public void Forget(int group, Ballot floor)
    {
        for (var node = _byAge[group].First; node is not null;)
        {
            var (entry, next) = (node.Value, node.Next);
            if (entry.State.IsCoveredBy(floor))
            {
                Remove(group, entry.Register);
            }

            node = next;
        }
    }

    private readonly record struct Entry(RegisterId Register, AcceptorState State);
}
