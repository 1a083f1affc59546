namespace Orleans.Consensus.Reminders;

/// <summary>The grain hashes behind one and up to another, around the ring if need be; see Orleans' table.</summary>
internal readonly record struct ReminderRange(uint Begin, uint End)
{
    public bool Covers(uint hash) => Begin < End ? hash > Begin && hash <= End : hash > Begin || hash <= End;

    /// <summary>Whether any hash of it belongs to a node.</summary>
    public bool Overlaps(ReminderNodeId node) => Begin < End
        ? node.LastHash > Begin && node.FirstHash <= End
        : node.LastHash > Begin || node.FirstHash <= End;
}
