using Orleans.Core;

namespace Orleans.Consensus.Reminders;

/// <summary>
/// What a silo remembers of the tree: which nodes are split, which stays true for ever, and the leaves as it wrote them
/// last, which the ETag checks. Bounded: what it forgets is read again. Thread-safe.
/// </summary>
internal sealed class KnownReminderNodes
{
    /// <summary>Those of a million reminders.</summary>
    private const int MostSplit = 64 * 1024;

    private const int MostLeaves = 2 * 1024;

    private readonly Lock _lock = new();
    private readonly HashSet<ReminderNodeId> _split = [];
    private readonly Dictionary<ReminderNodeId, IGrainState<ReminderNode>> _leaves = [];

    public bool IsSplit(ReminderNodeId node)
    {
        lock (_lock)
        {
            return _split.Contains(node);
        }
    }

    /// <summary>Where a reminder is at least as deep.</summary>
    public ReminderNodeId DeepestFor(ReminderKey key)
    {
        lock (_lock)
        {
            var node = ReminderNodeId.Root;
            while (_split.Contains(node))
            {
                node = node.ChildFor(key);
            }

            return node;
        }
    }

    public void NoteSplit(ReminderNodeId node)
    {
        lock (_lock)
        {
            if (_split.Count == MostSplit)
            {
                _split.Clear();
            }

            _split.Add(node);
        }
    }

    /// <summary>A leaf as it was written here last, for one who writes it again.</summary>
    public IGrainState<ReminderNode>? Take(ReminderNodeId leaf)
    {
        lock (_lock)
        {
            return _leaves.Remove(leaf, out var state) ? state : null;
        }
    }

    public void Keep(ReminderNodeId leaf, IGrainState<ReminderNode> state)
    {
        lock (_lock)
        {
            if (_leaves.Count == MostLeaves)
            {
                _leaves.Remove(_leaves.Keys.First());
            }

            _leaves[leaf] = state;
        }
    }
}
