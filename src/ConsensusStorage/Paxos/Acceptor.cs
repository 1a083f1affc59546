namespace Orleans.Consensus.Paxos;

/// <summary>
/// The acceptor's transitions, pure (CASPaxos §2.2; "Paxos Made Simple" §2.2). A state is what the register holds
/// or, when it holds none, <see cref="AcceptorState.Absent"/> of the group's floor.
/// </summary>
internal static class Acceptor
{
    /// <summary>Phase 1: refuse unless b &gt; max(promised, accepted, floor) (S3).</summary>
    /// <param name="ceiling">The highest round believed; see <see cref="CeilingAt"/>.</param>
    public static AcceptorStep On(AcceptorState state, GroupFloor group, Prepare prepare, long ceiling)
    {
        var toBeat = Ballot.Max(state.Highest, group.Floor);
        if (prepare.Ballot <= toBeat)
        {
            return new(state, new Conflict(Phase.Prepare, prepare.Ballot, toBeat));
        }

        if (prepare.Ballot.Round > ceiling)
        {
            return new(state, new TooFarAhead(Phase.Prepare, prepare.Ballot, ceiling));
        }

        var promise = new Promise(prepare.Ballot, state.Accepted, state.Value)
        {
            Horizon = state.Accepted.IsNone ? group.Horizon : Ballot.None,
        };
        return new(state with { Promised = prepare.Ballot }, promise);
    }

    /// <summary>
    /// Phase 2: refuse unless b &gt;= promised and b &gt; accepted (S3). The same accept once more is acknowledged once
    /// more; the same ballot with another value can't come from a correct proposer (S1) and is refused.
    /// </summary>
    /// <param name="ceiling">The highest round believed; see <see cref="CeilingAt"/>.</param>
    public static AcceptorStep On(AcceptorState state, Accept accept, long ceiling)
    {
        var again = accept.Ballot == state.Accepted && accept.Value.Version == state.Value?.Version;
        if (again && state.Promised >= accept.Next)
        {
            return new(state, new Accepted(accept.Ballot));
        }

        if (accept.Ballot < state.Promised || (accept.Ballot <= state.Accepted && !again))
        {
            return new(state, new Conflict(Phase.Accept, accept.Ballot, state.Highest));
        }

        if (accept.Ballot.Round > ceiling || accept.Next.Round > ceiling)
        {
            return new(state, new TooFarAhead(Phase.Accept, accept.Ballot, ceiling));
        }

        // Where the value was installed before (S14), the promise on its back is what is missing.
        var promised = Ballot.Max(accept.Ballot, accept.Next);
        var value = again ? state.Value : accept.Value;
        return new(new(promised, accept.Ballot, value), new Accepted(accept.Ballot));
    }

    /// <summary>
    /// Raises a group's floor: a promise for all absent registers at once, so always safe (S11). It never goes back.
    /// The horizon stays where it is: nothing was dropped.
    /// </summary>
    public static GroupFloor RaiseFloor(GroupFloor group, Ballot to) =>
        group with { Floor = Ballot.Max(group.Floor, to) };

    /// <summary>Raises floor and horizon together, before tombstones up to there are dropped (S12).</summary>
    public static GroupFloor RaiseHorizon(GroupFloor group, Ballot to) =>
        new(Ballot.Max(group.Floor, to), Ballot.Max(group.Horizon, to));

    /// <summary>
    /// Drops a tombstone, this acceptor's part of S12: the register still holds that very tombstone, the horizon,
    /// raised on all replicas before, covers it, and the floor covers every ballot this acceptor gave out for it.
    /// Null: it is gone.
    /// Does not: know that all replicas accepted it, and then raised their horizons to one above all that they had
    /// before; the caller must (S12 a, b).
    /// </summary>
    public static AcceptorState? Drop(
        AcceptorState state, GroupFloor group, Ballot accepted, RegisterVersion tombstone)
    {
        var same = state.Accepted == accepted && state.Value == new RegisterValue(tombstone, Payload: null);
        return same && accepted <= group.Horizon && state.Highest <= group.Floor ? null : state;
    }

    /// <summary>
    /// Installs a value known to be chosen with its ballot, above the own accepted ballot; the promise stays (S14).
    /// Refused where nothing is held and the own horizon is above the one that was seen with the value: a later
    /// tombstone may have been dropped in between.
    /// </summary>
    /// <param name="seen">The highest horizon of the quorum that told the value, when it told it.</param>
    public static AcceptorState Install(
        AcceptorState state, GroupFloor group, Ballot chosenAt, RegisterValue chosen, Ballot seen)
    {
        var mayHaveDropped = state.Accepted.IsNone && group.Horizon > seen;
        return chosenAt > state.Accepted && !mayHaveDropped
            ? state with { Accepted = chosenAt, Value = chosen }
            : state;
    }

    /// <summary>The highest round to believe: an hour above the clock and all that is held already (S4).</summary>
    public static long CeilingAt(long unixMilliseconds, long highestHeld) =>
        checked(Math.Max(Ballot.RoundAt(unixMilliseconds), highestHeld) + Ballot.Hour);
}
