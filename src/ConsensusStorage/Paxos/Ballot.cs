namespace Orleans.Consensus.Paxos;

/// <summary>
/// A round number and who made it: totally ordered, unique per attempt ("Paxos Made Simple" §2.4, CASPaxos §2.2).
/// </summary>
/// <param name="Round">UTC milliseconds times 2^16, or one more than the highest to beat (S4).</param>
internal readonly record struct Ballot(long Round, ProposerId Proposer) : IComparable<Ballot>
{
    /// <summary>Below every ballot that is ever made.</summary>
    public static readonly Ballot None;

    /// <summary>Above every ballot that is ever made: stands for an acceptor that can't be had.</summary>
    public static readonly Ballot Unreachable = new(long.MaxValue, new(UInt128.MaxValue));

    /// <summary>An hour in units of <see cref="Round"/>: how far ahead an acceptor believes (S4).</summary>
    public const long Hour = 3_600_000L << ClockShift;

    /// <summary>No clock stands for a higher one; who claims to hold one can't be beaten and is left out.</summary>
    public const long MaxRound = long.MaxValue / 2;

    private const int ClockShift = 16;

    public bool IsNone => this == None;

    /// <summary>The round that a clock stands for.</summary>
    /// <exception cref="OverflowException">No round can stand for that clock.</exception>
    public static long RoundAt(long unixMilliseconds) => checked(unixMilliseconds * (1L << ClockShift));

    /// <summary>The time between the clocks that two rounds stand for.</summary>
    public static TimeSpan TimeBetween(Ballot earlier, Ballot later) =>
        TimeSpan.FromMilliseconds((later.Round >> ClockShift) - (earlier.Round >> ClockShift));

    public int CompareTo(Ballot other)
    {
        var byRound = Round.CompareTo(other.Round);
        return byRound != 0 ? byRound : Proposer.CompareTo(other.Proposer);
    }

    public static bool operator <(Ballot left, Ballot right) => left.CompareTo(right) < 0;

    public static bool operator >(Ballot left, Ballot right) => left.CompareTo(right) > 0;

    public static bool operator <=(Ballot left, Ballot right) => left.CompareTo(right) <= 0;

    public static bool operator >=(Ballot left, Ballot right) => left.CompareTo(right) >= 0;

    public static Ballot Max(Ballot left, Ballot right) => left >= right ? left : right;

    public static Ballot Min(Ballot left, Ballot right) => left <= right ? left : right;

    public override string ToString() => IsNone ? "none" : $"{Round}.{Proposer.ToString()[..8]}";
}
