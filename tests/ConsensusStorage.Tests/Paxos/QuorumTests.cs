using Orleans.Consensus.Paxos;
using static Orleans.Consensus.Tests.Paxos.Examples;

namespace Orleans.Consensus.Tests.Paxos;

/// <summary>Majorities ("Paxos Made Simple" §2.2): any two share an acceptor.</summary>
public sealed class QuorumTests
{
    public static TheoryData<int> Sizes => [.. Enumerable.Range(1, ReplicaSet.MaxReplicas)];

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 2)]
    [InlineData(4, 3)]
    [InlineData(5, 3)]
    [InlineData(6, 4)]
    [InlineData(7, 4)]
    [InlineData(8, 5)]
    [InlineData(9, 5)]
    public void A_quorum_is_a_majority(int replicas, int quorum) => Assert.Equal(quorum, Votes.QuorumOf(replicas));

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Any_two_winning_sets_share_a_replica_and_a_lost_vote_can_not_be_won(int replicas)
    {
        var all = (1u << replicas) - 1;
        for (var yes = 0u; yes <= all; yes++)
        {
            var verdict = new Votes(replicas, yes, 0).Verdict;
            Assert.NotEqual(Verdict.Lost, verdict);
            if (verdict == Verdict.Won)
            {
                // The complement is the largest set that shares nothing with it.
                Assert.NotEqual(Verdict.Won, new Votes(replicas, all & ~yes, 0).Verdict);
            }

            var refused = new Votes(replicas, 0, yes).Verdict;
            var best = new Votes(replicas, all & ~yes, yes).Verdict;
            Assert.Equal(best == Verdict.Won ? Verdict.Pending : Verdict.Lost, refused);
        }
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Votes_count_a_replica_once_and_are_pending_until_a_quorum(int replicas)
    {
        var votes = Votes.Of(replicas);
        for (var replica = 0; replica < replicas; replica++)
        {
            var won = replica >= Votes.QuorumOf(replicas);
            Assert.Equal(won ? Verdict.Won : Verdict.Pending, votes.Verdict);
            Assert.False(votes.HasVoted(replica));
            votes = votes.With(replica, yes: true);
            Assert.True(votes.HasVoted(replica));
            Assert.Equal(votes, votes.With(replica, yes: true));
        }

        Assert.Equal(Verdict.Won, votes.Verdict);
    }

    [Fact]
    public void One_replica_alone_decides()
    {
        Assert.Equal(Verdict.Pending, Votes.Of(1).Verdict);
        Assert.Equal(Verdict.Won, Votes.Of(1).With(0, yes: true).Verdict);
        Assert.Equal(Verdict.Lost, Votes.Of(1).With(0, yes: false).Verdict);
        Assert.True(Votes.Of(1).With(0, yes: false).HasVoted(0));
    }

    [Fact, Trait("Rule", "S4")]
    public void A_poisoned_acceptor_does_not_raise_the_ballot_to_beat()
    {
        var poison = B(long.MaxValue);

        Assert.Equal(B(6), Votes.ToBeat([B(5), poison, B(6)]));
        Assert.Equal(B(5), Votes.ToBeat([poison, Ballot.None, B(5)]));
        Assert.Equal(B(7), Votes.ToBeat([poison, B(7), B(5), poison, B(6)]));
        Assert.Equal(B(7), Votes.ToBeat([poison, B(7), B(5), B(6)]));
    }

    [Fact, Trait("Rule", "S4")]
    public void The_ballot_to_beat_is_what_a_quorum_stands_at()
    {
        Assert.Equal(B(5), Votes.ToBeat([B(5)]));
        Assert.Equal(B(5, 2), Votes.ToBeat([B(5), B(5, 2)]));
        Assert.Equal(Ballot.None, Votes.ToBeat([Ballot.None, Ballot.None, B(5)]));
        Assert.Equal(B(6), Votes.ToBeat([B(6), B(6), B(6)]));
        Assert.Equal(B(5, 2), Votes.ToBeat([B(5, 3), B(5), B(5, 2)]));
    }

    [Fact, Trait("Rule", "S4")]
    public void Where_no_acceptor_can_be_had_there_is_nothing_to_beat()
    {
        Assert.Equal(Ballot.None, Votes.ToBeat([Ballot.Unreachable]));
        Assert.Equal(Ballot.None, Votes.ToBeat([Ballot.Unreachable, Ballot.Unreachable, Ballot.Unreachable]));
        Assert.Equal(B(5), Votes.ToBeat([Ballot.Unreachable, B(5), Ballot.Unreachable]));
    }

    [Fact]
    public void A_replica_set_is_ordered_and_has_no_doubles()
    {
        var set = new ReplicaSet([new("b"), new("B"), new("a")]);

        Assert.Equal("B,a,b", set.ToString());
        Assert.Equal((3, 0, 2, -1), (set.Count, set.IndexOf(new("B")), set.IndexOf(new("b")), set.IndexOf(new("c"))));
        Assert.Equal(new ReplicaId("a"), set[1]);
        Assert.Throws<ArgumentException>(() => new ReplicaSet([]));
        Assert.Throws<ArgumentException>(() => new ReplicaSet([new("a"), new("a")]));
        Assert.Throws<ArgumentException>(
            () => new ReplicaSet(Enumerable.Range(0, ReplicaSet.MaxReplicas + 1).Select(i => new ReplicaId($"r{i}"))));
    }

    [Theory]
    [InlineData("a", true)]
    [InlineData("silo-1_A.b", true)]
    [InlineData("", false)]
    [InlineData(null, false)]
    [InlineData(".", false)]
    [InlineData("..", false)]
    [InlineData("a/b", false)]
    [InlineData("a\\b", false)]
    [InlineData("ä", false)]
    [InlineData("a\0", false)]
    [InlineData("a,b", false)]
    public void A_replica_name_names_a_directory_and_nothing_else(string? name, bool valid)
    {
        Assert.Equal(valid, ReplicaId.IsValid(name));
        Assert.True(ReplicaId.IsValid(new string('a', ReplicaId.MaxLength)));
        Assert.False(ReplicaId.IsValid(new string('a', ReplicaId.MaxLength + 1)));
    }
}
