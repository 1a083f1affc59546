using Orleans.Consensus.Paxos;
using static Orleans.Consensus.Tests.Paxos.Examples;

namespace Orleans.Consensus.Tests.Paxos;

/// <summary>"Paxos Made Simple" §2.4: ballots are totally ordered and no two proposers share one.</summary>
public sealed class BallotTests
{
    private static readonly Ballot[] Ordered =
    [
        new(-1, new(UInt128.MaxValue)), Ballot.None, B(0), B(1, 0), B(1), B(1, 2), B(2, 0), B(2, 1),
        new(2, new(UInt128.MaxValue)), new(long.MaxValue, new(UInt128.MaxValue)),
    ];

    [Fact, Trait("Rule", "S3")]
    public void Ballots_are_totally_ordered_by_round_and_then_by_proposer()
    {
        for (var i = 0; i < Ordered.Length; i++)
        {
            for (var j = 0; j < Ordered.Length; j++)
            {
                var (left, right) = (Ordered[i], Ordered[j]);
                Assert.Equal(Math.Sign(i.CompareTo(j)), Math.Sign(left.CompareTo(right)));
                Assert.Equal((i < j, i > j), (left < right, left > right));
                Assert.Equal((i <= j, i >= j, i == j), (left <= right, left >= right, left == right));
                Assert.Equal(Ordered[Math.Max(i, j)], Ballot.Max(left, right));
            }
        }
    }

    [Fact, Trait("Rule", "S3")]
    public void No_ballot_is_the_default_and_is_below_all_that_are_made()
    {
        Assert.Equal(default, Ballot.None);
        Assert.True(Ballot.None.IsNone);
        Assert.False(B(1, 0).IsNone);
        Assert.False(B(0).IsNone);
        Assert.True(new BallotSource(new(0)).Next(0, Ballot.None) > Ballot.None);
        Assert.True(new BallotSource(new(0)).Next(-5, Ballot.None) > Ballot.None);
    }

    [Fact, Trait("Rule", "S1")]
    public void Every_ballot_of_a_source_is_above_all_before_whatever_the_clock_does()
    {
        var source = new BallotSource(new(7));
        var last = Ballot.None;
        foreach (var clock in new long[] { 1_000, 1_000, 1_001, 5, 0, -1, 1_001, 2_000, 2_000 })
        {
            var next = source.Next(clock, Ballot.None);
            Assert.True(next > last, $"{next} after {last} at {clock}");
            Assert.Equal(new ProposerId(7), next.Proposer);
            last = next;
        }
    }

    [Fact, Trait("Rule", "S4")]
    public void A_round_is_the_clock_or_one_more_than_the_highest_to_beat()
    {
        var source = new BallotSource(new(7));

        Assert.Equal(1_000L << 16, source.Next(1_000, Ballot.None).Round);
        Assert.Equal((1_000L << 16) + 1, source.Next(1_000, Ballot.None).Round);
        Assert.Equal((9_000L << 16) + 1, source.Next(1_001, B(9_000L << 16, 99)).Round);
        Assert.Equal((9_000L << 16) + 2, source.Next(1_002, B(3)).Round);
        Assert.Equal(10_000L << 16, source.Next(10_000, B(3)).Round);
    }

    [Fact, Trait("Rule", "S4")]
    public void A_ballot_beats_one_of_the_same_round_and_a_higher_proposer()
    {
        var toBeat = new Ballot(5, new(UInt128.MaxValue));

        Assert.True(new BallotSource(new(1)).Next(0, toBeat) > toBeat);
    }

    [Fact, Trait("Rule", "S4")]
    public void Used_up_rounds_are_an_error_and_not_a_wrap_around()
    {
        var highest = new Ballot(long.MaxValue, new(1));

        Assert.Throws<OverflowException>(() => new BallotSource(new(1)).Next(0, highest));
        Assert.Throws<OverflowException>(() => Acceptor.CeilingAt(0, long.MaxValue));
    }

    [Theory, Trait("Rule", "S4")]
    [InlineData(1L << 47)]
    [InlineData(253_402_300_799_999)] // 9999-12-31, the last moment that DateTimeOffset knows
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    public void A_clock_that_no_round_can_stand_for_is_an_error_and_not_a_wrap_around(long unixMilliseconds) =>
        Assert.Throws<OverflowException>(() => Ballot.RoundAt(unixMilliseconds));

    [Fact, Trait("Rule", "S4")]
    public void An_hour_is_an_hour_of_rounds()
    {
        Assert.Equal(Ballot.Hour, Ballot.RoundAt(3_600_000));
        Assert.Equal(Ballot.RoundAt(1_000) + Ballot.Hour, Acceptor.CeilingAt(1_000, 0));
        Assert.Equal(Ballot.RoundAt(9_000) + Ballot.Hour, Acceptor.CeilingAt(1_000, Ballot.RoundAt(9_000)));
    }

    [Fact, Trait("Rule", "S2")]
    public void Proposers_are_drawn_anew_and_differ()
    {
        var random = new Random(1);
        var drawn = Enumerable.Range(0, 1_000).Select(_ => ProposerId.Create(random)).ToHashSet();

        Assert.Equal(1_000, drawn.Count);
        Assert.All(drawn, id => Assert.Equal(32, id.ToString().Length));
    }

    [Fact]
    public void A_ballot_prints_its_round_and_the_start_of_its_proposer()
    {
        Assert.Equal("none", Ballot.None.ToString());
        Assert.Equal("5.00000000", B(5).ToString());
    }
}
