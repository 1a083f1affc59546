namespace Orleans.Consensus.Paxos;

/// <summary>
/// Makes the ballots of one proposer, each higher than all it made before (S1, S4). The clock is handed in.
/// Not thread-safe.
/// </summary>
internal sealed class BallotSource(ProposerId proposer)
{
    private long _last;

    public ProposerId Proposer { get; } = proposer;

    /// <summary>The round of the last ballot.</summary>
    public long Last => _last;

    /// <summary>A fresh ballot above <paramref name="toBeat"/>.</summary>
    /// <exception cref="OverflowException">Rounds are used up: the clock is in the far future.</exception>
    public Ballot Next(long unixMilliseconds, Ballot toBeat)
    {
        var floor = checked(Math.Max(_last, toBeat.Round) + 1);
        _last = Math.Max(Ballot.RoundAt(unixMilliseconds), floor);
        return new(_last, Proposer);
    }
}
