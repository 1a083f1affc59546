namespace Orleans.Consensus.Paxos;

/// <summary>
/// What an acceptor holds for one register: one atomic record (S5). Immutable.
/// </summary>
/// <param name="Promised">No ballot below this one is accepted, none up to it is promised again.</param>
/// <param name="Accepted">The ballot of <paramref name="Value"/>, or none.</param>
/// <param name="Value">The value accepted last; null exactly if <paramref name="Accepted"/> is none.</param>
internal sealed record AcceptorState(Ballot Promised, Ballot Accepted, RegisterValue? Value)
{
    /// <summary>A register nobody has spoken of stands at its group's floor (S11).</summary>
    public static AcceptorState Absent(Ballot floor) => new(floor, Ballot.None, null);

    /// <summary>The highest ballot in it.</summary>
    public Ballot Highest => Ballot.Max(Promised, Accepted);

    /// <summary>May be forgotten without a trace: it says no more than the floor does (S11).</summary>
    public bool IsCoveredBy(Ballot floor) => Accepted.IsNone && Promised <= floor;
}

/// <summary>
/// A transition of an acceptor. The shell makes <paramref name="Next"/> durable, if it is another state, before it
/// lets the reply out (S5).
/// </summary>
internal readonly record struct AcceptorStep(AcceptorState Next, Reply Reply);
