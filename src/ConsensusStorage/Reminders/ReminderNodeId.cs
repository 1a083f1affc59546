using Orleans.Runtime;

namespace Orleans.Consensus.Reminders;

/// <summary>
/// A node of the tree by its place: the first bits that the keys of its reminders share, two more on each level.
/// </summary>
/// <param name="Depth">0 for the root.</param>
/// <param name="First">The lowest key that belongs here.</param>
internal readonly record struct ReminderNodeId(int Depth, UInt128 First)
{
    public const int Deepest = ReminderKey.Bits / BitsOfLevel;

    private const int BitsOfLevel = 2;
    private const uint Children = 1 << BitsOfLevel;

    private static readonly GrainType Type = GrainType.Create("consensus.reminders");

    public static ReminderNodeId Root => default;

    public bool IsRoot => Depth == 0;

    /// <summary>The lowest grain hash that belongs here.</summary>
    public uint FirstHash => ReminderKey.GrainHashOf(First);

    /// <summary>The highest one.</summary>
    public uint LastHash => ReminderKey.GrainHashOf(First | (IsRoot ? UInt128.MaxValue : (UInt128.One << Free) - 1));

    public ReminderNodeId Parent => At(Depth - 1, First);

    /// <summary>The bits of a key that don't tell whether it belongs here.</summary>
    private int Free => ReminderKey.Bits - (Depth * BitsOfLevel);

    public bool Holds(ReminderKey key) => At(Depth, key.Value) == this;

    public ReminderNodeId ChildFor(ReminderKey key) => At(Depth + 1, key.Value);

    public IEnumerable<ReminderNodeId> AllChildren()
    {
        for (uint child = 0; child < Children; child++)
        {
            yield return new(Depth + 1, First | ((UInt128)child << (Free - BitsOfLevel)));
        }
    }

    /// <summary>The register of this node. Fixed, and never that of another node.</summary>
    public GrainId ToGrainId() => GrainId.Create(Type, ToString());

    /// <summary>For example <c>r0312</c>: r for the root, then a digit for each level.</summary>
    public override string ToString() => string.Create(Depth + 1, First, static (text, first) =>
    {
        text[0] = 'r';
        for (var level = 1; level < text.Length; level++)
        {
            text[level] = (char)('0' + (uint)(first >> (ReminderKey.Bits - (level * BitsOfLevel))) % Children);
        }
    });

    private static ReminderNodeId At(int depth, UInt128 key)
    {
        var free = ReminderKey.Bits - (depth * BitsOfLevel);
        return new(depth, depth == 0 ? UInt128.Zero : key >> free << free);
    }
}
