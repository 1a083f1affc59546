using System.Collections.Immutable;
using Orleans.Consensus.Engines;
using Orleans.Consensus.Transport;

namespace Orleans.Consensus.Tests.Engines;

[Trait("Rule", "S13")]
public sealed class FormationTests
{
    private static readonly ReplicaSet Replicas = new([new("a"), new("b"), new("c")]);
    private static readonly ImmutableArray<LogId> All = [Log(1), Log(2), Log(3)];

    [Fact]
    public void Alone_it_waits_and_says_who_is_missing()
    {
        var wait = Assert.IsType<FormationStep.Wait>(Step([], Other("b", 2)));
        Assert.Contains("still missing: c", wait.Problem, StringComparison.Ordinal);
        Assert.Contains("Start the silos", wait.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_replica_whose_log_is_not_open_is_missing() =>
        Assert.IsType<FormationStep.Wait>(Step([], Other("b", 2), Other("c", null)));

    [Fact]
    public void With_all_logs_known_it_stores_their_ids_in_the_order_of_the_replicas()
    {
        var write = Assert.IsType<FormationStep.WritePeers>(Step([], Other("c", 3), Other("b", 2)));
        Assert.Equal(All, write.Logs);
    }

    [Fact]
    public void It_serves_only_when_all_have_stored_the_same_ids()
    {
        Assert.IsType<FormationStep.Wait>(Step(All, Other("b", 2, All), Other("c", 3)));
        Assert.IsType<FormationStep.Wait>(Step(All, Other("b", 2, All)));
        Assert.IsType<FormationStep.WriteFormed>(Step(All, Other("b", 2, All), Other("c", 3, All)));
    }

    [Fact]
    public void One_that_serves_proves_that_all_had_stored_the_same_ids()
    {
        var serving = Other("b", 2, All, ReplicaState.Serving);
        Assert.IsType<FormationStep.WriteFormed>(Step(All, serving));
        Assert.IsType<FormationStep.WriteFormed>(Step(All, serving, Other("c", 3)));
        Assert.IsType<FormationStep.WriteFormed>(Step(All, Other("c", 9), serving));
        Assert.IsType<FormationStep.Wait>(Step(All, Other("b", 2, All, ReplicaState.Recovering)));
    }

    [Fact]
    public void One_that_serves_with_other_peers_proves_nothing()
    {
        Assert.IsType<FormationStep.Wait>(Step(All, Other("b", 2, [Log(1), Log(2), Log(9)], ReplicaState.Serving)));
        Assert.IsType<FormationStep.Refuse>(
            Step(All, Other("c", 3, All, ReplicaState.Serving), Other("b", 2, [Log(9), Log(2), Log(3)])));
    }

    [Fact]
    public void One_replica_described_twice_counts_once() =>
        Assert.IsType<FormationStep.Wait>(Step(All, Other("b", 2, All), Other("b", 2, All)));

    [Fact]
    public void A_store_of_one_replica_forms_at_once()
    {
        var one = new ReplicaSet([new("a")]);
        var write = Assert.IsType<FormationStep.WritePeers>(Formation.Step(one, new("a"), Log(1), [], []));
        Assert.IsType<FormationStep.WriteFormed>(Formation.Step(one, new("a"), Log(1), write.Logs, []));
    }

    [Fact]
    public void A_log_that_others_know_under_another_id_is_refused_with_what_to_do()
    {
        var refuse = Assert.IsType<FormationStep.Refuse>(Step([], Other("b", 2, [Log(9), Log(2), Log(3)])));
        Assert.Contains("emptied", refuse.Problem, StringComparison.Ordinal);
        Assert.Contains("Put the original directory back", refuse.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_peer_with_two_logs_is_waited_for()
    {
        Assert.IsType<FormationStep.Wait>(Step([], Other("b", 2), Other("b", 8), Other("c", 3)));
        var changed = Assert.IsType<FormationStep.Wait>(Step(All, Other("b", 8), Other("c", 3, All)));
        Assert.Contains("two different logs", changed.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Whom_only_some_of_the_others_know_is_refused_and_none_of_these_ever_serves()
    {
        ImmutableArray<LogId> twin = [Log(9), Log(2), Log(3)];
        Assert.IsType<FormationStep.Refuse>(Step([], Other("b", 2, All), Other("c", 3, twin)));
        Assert.IsType<FormationStep.Wait>(Formation.Step(
            Replicas, new("b"), Log(2), All, [Other("a", null), Other("c", 3, twin)]));
    }

    [Fact]
    public void What_it_hears_of_itself_does_not_count()
    {
        Assert.IsType<FormationStep.Wait>(Step([], Other("a", 1), Other("a", 9), Other("b", 2)));
        Assert.IsType<FormationStep.Wait>(Step(All, Other("a", 1, All), Other("b", 2, All)));
    }

    [Fact]
    [Trait("Bug", "E5")]
    public void A_log_from_before_the_formation_that_the_others_have_completed_is_refused()
    {
        // The others serve, so this log once held their ids, and perhaps promises: an older copy was put back.
        var step = Step(
            [], Other("b", 2, All, ReplicaState.Serving), Other("c", 3, All, ReplicaState.Serving));
        Assert.IsType<FormationStep.Refuse>(step);
    }

    private static FormationStep Step(ImmutableArray<LogId> peers, params ReplicaDescription[] seen) =>
        Formation.Step(Replicas, new("a"), Log(1), peers, seen);

    private static ReplicaDescription Other(
        string name, int? log, ImmutableArray<LogId> peers = default, ReplicaState state = ReplicaState.Forming) =>
        new(new(name), log is { } id ? Log(id) : null, state, peers.IsDefault ? [] : peers, [], 0, null);

    private static LogId Log(int number) => new((UInt128)number);
}
