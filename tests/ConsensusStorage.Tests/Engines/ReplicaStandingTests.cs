using System.Collections.Immutable;
using Orleans.Consensus.Engines;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Transport;
using Orleans.Runtime;

namespace Orleans.Consensus.Tests.Engines;

/// <summary>What operators are told of a replica, by what the silos say.</summary>
public sealed class ReplicaStandingTests
{
    private static readonly ReplicaSet Replicas = new([new("a"), new("b"), new("c")]);
    private static readonly ImmutableArray<LogId> Logs = [new(1), new(2), new(3)];

    private readonly Dictionary<SiloAddress, KnownSilo> _silos = [];

    [Fact]
    public void A_replica_that_no_silo_hosts_is_unreachable()
    {
        Knows(1, Says("a", 1));
        var standing = Standings()[1];
        Assert.Equal(ConsensusReplicaState.Unreachable, standing.State);
        Assert.Null(standing.Host);
        Assert.Equal("Unreachable. No live silo hosts it.", standing.Words);
    }

    [Fact]
    public void Silos_without_a_ReplicaId_are_told_to_set_one()
    {
        HostsNothing(1);
        HostsNothing(2);
        var none = Standings()[1].Words;
        Assert.Contains("No live silo hosts any replica", none, StringComparison.Ordinal);
        Assert.Contains(Silo(1).ToParsableString(), none, StringComparison.Ordinal);
        Assert.Contains("Set option ReplicaId on each silo", none, StringComparison.Ordinal);
        Assert.Contains("one of a, b, c", none, StringComparison.Ordinal);

        Knows(1, Says("a", 1));
        var one = Standings()[1].Words;
        Assert.Contains("set option ReplicaId to 'b'", one, StringComparison.Ordinal);
        Assert.Contains(Silo(2).ToParsableString(), one, StringComparison.Ordinal);
        Assert.DoesNotContain(Silo(1).ToParsableString(), one, StringComparison.Ordinal);
    }

    [Fact]
    public void Silos_that_were_not_heard_or_share_replicas_out_are_told_of_no_ReplicaId()
    {
        _silos[Silo(1)] = KnownSilo.Nothing with { Asking = true };
        _silos[Silo(2)] = KnownSilo.Nothing with { WasHeard = true, Silent = true };
        _silos[Silo(3)] = KnownSilo.Nothing with { WasHeard = true, HasNoStore = true };
        Assert.Equal("Unreachable. No live silo hosts it.", Standings()[1].Words);

        HostsNothing(1);
        var floating = new ReplicaStandings(Replicas, Logs, null, [], null) { Floats = true };
        Assert.Equal("Unreachable. No live silo hosts it.", floating.Of(_silos)[1].Words);
    }

    [Fact]
    public void A_silo_that_gives_no_answer_is_named_with_the_cause()
    {
        Knows(1, Says("a", 1));
        _silos[Silo(1)] = _silos[Silo(1)] with { Silent = true, WhySilent = "no answer in time" };
        var standing = Standings()[0];
        Assert.Equal(ConsensusReplicaState.Unreachable, standing.State);
        Assert.Contains(Silo(1).ToParsableString(), standing.Problem, StringComparison.Ordinal);
        Assert.Contains("no answer in time", standing.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_replica_that_no_silo_speaks_of_is_told_with_why_silos_said_nothing()
    {
        Knows(1, Says("a", 1));
        for (var silo = 2; silo <= 6; silo++)
        {
            _silos[Silo(silo)] = KnownSilo.Nothing with { Silent = true, WhySilent = "a filter says no." };
        }

        var problem = Standings()[1].Problem;

        Assert.StartsWith("No silo that answers hosts it. ", problem, StringComparison.Ordinal);
        Assert.Contains(
            $"Silo {Silo(2).ToParsableString()} did not say what it hosts: a filter says no.",
            problem,
            StringComparison.Ordinal);
        Assert.EndsWith("Nor did 2 others.", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_replica_that_serves_with_a_problem_is_blocked_by_it()
    {
        Knows(1, Says("a", 1) with { Problem = "no room" });
        var standing = Standings()[0];
        Assert.Equal(ConsensusReplicaState.Blocked, standing.State);
        Assert.False(standing.IsUsable);
        Assert.Equal("Blocked. no room", standing.Words);
        Assert.Equal("Blocked. no room", standing.Tell(null, needed: 2).Text);
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(2, 1)]
    public void A_refused_silo_of_the_same_name_is_told_of_and_the_one_that_serves_is_not_blamed(
        int served, int refused)
    {
        Knows(served, Says("a", 1));
        Knows(refused, Says("a", 9) with { State = ReplicaState.Refused, Problem = "two silos" });
        var standing = Standings()[0];
        Assert.Equal(
            (ConsensusReplicaState.Serving, Silo(served), (string?)null),
            (standing.State, standing.Host!, standing.Problem));
        Assert.Contains("two silos", standing.Notice, StringComparison.Ordinal);
        Assert.Contains(Silo(refused).ToParsableString(), standing.Notice, StringComparison.Ordinal);
    }

    [Fact]
    public void A_problem_of_one_replica_is_not_one_of_the_others()
    {
        Knows(1, Says("a", 1), Says("b", 2));
        var standings = Standings("served twice", [new("b")]);
        Assert.Equal(ConsensusReplicaState.Serving, standings[0].State);
        Assert.Equal(
            (ConsensusReplicaState.Blocked, "served twice"), (standings[1].State, standings[1].Problem));
    }

    [Fact]
    public void A_problem_of_the_store_blocks_all_that_serve()
    {
        Knows(1, Says("a", 1), Says("b", 2));
        Assert.All(Standings("two stores").Take(2), one => Assert.Equal("Blocked. two stores", one.Words));
    }

    [Fact]
    public void A_replica_with_another_log_than_the_store_knows_is_blocked()
    {
        Knows(1, Says("a", 7));
        Assert.Contains("mixed up", Standings()[0].Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_told_before_it_was_doubted_still_counts_for_operators()
    {
        Knows(1, Says("a", 1));
        _silos[Silo(1)] = _silos[Silo(1)] with { Replicas = [] };
        Assert.True(Standings()[0].IsUsable);
    }

    [Fact]
    public void A_replica_that_was_not_asked_says_where_it_is_and_what_is_missing()
    {
        Knows(1, Says("a", 1));
        var answer = Standings()[0].Tell(null, needed: 2);
        Assert.False(answer.Answered);
        Assert.Equal(
            $"it serves on {Silo(1).ToParsableString()} and was not asked, since 2 are needed", answer.Text);
    }

    [Fact]
    public void A_clock_an_hour_ahead_blocks_a_replica_for_the_silo_that_has_it_and_no_other()
    {
        var now = DateTimeOffset.UnixEpoch.AddDays(1);
        var told = Says("a", 1) with { Ceiling = Acceptor.CeilingAt(now.ToUnixTimeMilliseconds(), 0) };
        Assert.Null(told.JudgedAt(now).Problem);
        Assert.Null(told.JudgedAt(now.AddHours(1)).Problem);
        Assert.Contains("clock", told.JudgedAt(now.AddHours(1.001)).Problem, StringComparison.Ordinal);
    }

    private static SiloAddress Silo(int number) =>
        SiloAddress.New(System.Net.IPAddress.Loopback, 11110 + number, number);

    private static ReplicaDescription Says(string replica, uint log) =>
        new(new(replica), new(log), ReplicaState.Serving, Logs, [], 0, null);

    private void HostsNothing(int silo) => _silos[Silo(silo)] = KnownSilo.Nothing with { WasHeard = true };

    private void Knows(int silo, params ImmutableArray<ReplicaDescription> replicas) =>
        _silos[Silo(silo)] = KnownSilo.Nothing with { Replicas = replicas, Told = replicas };

    private ImmutableArray<ReplicaStanding> Standings(
        string? problem = null, ImmutableArray<ReplicaId>? twice = null) =>
        new ReplicaStandings(Replicas, Logs, problem, twice ?? [], null).Of(_silos);
}
