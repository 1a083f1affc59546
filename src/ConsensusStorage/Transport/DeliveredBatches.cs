namespace Orleans.Consensus.Transport;

/// <summary>Names a batch for ever: the link that sent it, and its number there, counted from 1.</summary>
/// <param name="Link">64 random bits, new for each link of each engine instance.</param>
internal readonly record struct BatchId(ulong Link, ulong Number);

/// <summary>
/// Lets each batch in once. Orleans may send a message again when a connection broke, and a proposer that hears
/// "refused" of the second copy would not know that the first one was accepted (S6). A batch that is overtaken by
/// <see cref="Window"/> others of its link is refused like a copy: its sender stopped waiting long ago. Thread-safe.
/// <para>Copies never outlive the process: a message is addressed to one incarnation of a silo.</para>
/// </summary>
/// <param name="capacity">Links to remember; the one that was silent for longest is forgotten first.</param>
internal sealed class DeliveredBatches(int capacity)
{
    /// <summary>How far a batch may be overtaken.</summary>
    public const int Window = 64;

    private readonly Lock _lock = new();
    private readonly Dictionary<ulong, LinkedListNode<Seen>> _links = [];
    private readonly LinkedList<Seen> _bySilence = new();

    /// <summary>Links remembered.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _links.Count;
            }
        }
    }

    /// <summary>True for the first copy of a batch, false for all others.</summary>
    public bool TryTake(BatchId id)
    {
        lock (_lock)
        {
            if (!_links.TryGetValue(id.Link, out var node))
            {
                node = new(new(id.Link, 0, 0));
                _links.Add(id.Link, node);
                ForgetTheMostSilent();
            }
            else
            {
                _bySilence.Remove(node);
            }

            _bySilence.AddLast(node);
            return node.ValueRef.TryTake(id.Number);
        }
    }

    private void ForgetTheMostSilent()
    {
        while (_links.Count > capacity && _bySilence.First is { } first)
        {
            _bySilence.RemoveFirst();
            _links.Remove(first.Value.Link);
        }
    }

    /// <param name="Highest">The highest number seen.</param>
    /// <param name="Mask">Bit n: <paramref name="Highest"/> - n was seen.</param>
    private record struct Seen(ulong Link, ulong Highest, ulong Mask)
    {
        public bool TryTake(ulong number)
        {
            if (number > Highest)
            {
                var ahead = number - Highest;
                Mask = (ahead < Window ? Mask << (int)ahead : 0) | 1;
                Highest = number;
                return true;
            }

            var behind = Highest - number;
            var bit = behind < Window ? 1UL << (int)behind : 0;
            var isNew = bit != 0 && (Mask & bit) == 0;
            Mask |= bit;
            return isNew;
        }
    }
}
