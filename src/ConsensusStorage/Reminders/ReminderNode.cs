using Orleans.Runtime;

namespace Orleans.Consensus.Reminders;

/// <summary>
/// The reminders of one place of the tree, as one state. Once it is split it never changes again, and its reminders
/// are those with which its children begin. Nobody changes the lists after construction.
/// </summary>
/// <param name="Format">The first field of every format there will ever be.</param>
/// <param name="Last">The names of the last changes: a change of unknown outcome that was made is among them.</param>
/// <param name="IsSplit">What it holds belongs to its children now.</param>
[GenerateSerializer, Immutable]
[Alias("Orleans.Consensus.ReminderNode")]
internal sealed record ReminderNode(
    [property: Id(0)] int Format,
    [property: Id(1)] List<ReminderRow> Rows,
    [property: Id(2)] List<string> Last,
    [property: Id(3)] bool IsSplit)
{
    public const int CurrentFormat = 1;

    public static readonly ReminderNode Empty = new(CurrentFormat, [], [], IsSplit: false);

    /// <summary>As many as may be made while one silo waits for its answer.</summary>
    private const int Remembered = 16;

    public ReminderRow? Find(GrainId grain, string name) =>
        Rows.Find(row => row.Grain == grain && row.Name == name);

    /// <summary>The same with one more, or with one in the place of that of the same grain and name.</summary>
    public ReminderNode With(ReminderRow row) => this with
    {
        Rows = [.. Rows.Where(other => other.Grain != row.Grain || other.Name != row.Name), row],
    };

    public ReminderNode Without(ReminderRow row) => this with { Rows = [.. Rows.Where(other => other != row)] };

    /// <summary>This one as the outcome of a change.</summary>
    public ReminderNode By(string change) => this with { Last = [.. Last.TakeLast(Remembered - 1), change] };

    /// <summary>What a child is before its first change, which writes it.</summary>
    public ReminderNode BeginningOf(ReminderNodeId child) => this with
    {
        Rows = Rows.FindAll(row => child.Holds(ReminderKey.Of(row.Grain, row.Name))),
        IsSplit = false,
    };

    /// <summary>Whether a change is one of those that led from an earlier node here.</summary>
    /// <returns>Null if that can't be told: too many followed.</returns>
    public bool? HasSeen(string change, ReminderNode since)
    {
        if (Last.Contains(change))
        {
            return true;
        }

        return since.Last switch
        {
            // It would stand behind this one, which is there once and never comes again.
            [.., var last] => Last.Contains(last) ? false : null,
            [] => Last.Count < Remembered ? false : null,
        };
    }
}
