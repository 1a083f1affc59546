namespace Orleans.Consensus.Paxos;

/// <summary>
/// What an acceptor says of all registers of a group that it holds nothing of: two numbers, because a promise may be
/// raised at any time, and what was forgotten must not seem to move along with it. Immutable.
/// </summary>
/// <param name="Floor">A promise for each of them; raised by anyone (S11).</param>
/// <param name="Horizon">
/// Tombstones up to here may have been dropped; raised only to drop some, along with the floor (S12). Never above it.
/// </param>
internal readonly record struct GroupFloor(Ballot Floor, Ballot Horizon)
{
    /// <summary>Whether an acceptor that had <paramref name="before"/> may have this one later.</summary>
    public bool MayFollow(GroupFloor before) =>
        Floor >= before.Floor && Horizon >= before.Horizon && Horizon <= Floor;
}
