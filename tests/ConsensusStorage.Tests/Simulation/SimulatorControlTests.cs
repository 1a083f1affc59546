using Orleans.Consensus.Paxos;
using Orleans.Consensus.Simulation.Documents;
using Orleans.Consensus.Simulation.Members;
using Orleans.Consensus.Simulation.Scenarios;

namespace Orleans.Consensus.Tests.Simulation;

/// <summary>
/// Negative controls: clusters that are broken on purpose have to be caught, or the simulator has rotted into "yes".
/// </summary>
public sealed class SimulatorControlTests(ITestOutputHelper output)
{
    private const int Seeds = 60;

    [Fact]
    [Trait("Rule", "S5")]
    public void A_log_that_answers_before_the_flush_and_loses_it_is_caught() =>
        AssertCaught(cluster =>
        {
            var random = new Random(1);
            cluster.Intercept = (_, journals) => new ForgetfulJournals(journals, random);
            cluster.Settings = cluster.Settings with { ValueCacheBytes = 1 << 20 };
        });

    [Fact]
    [Trait("Rule", "S6")]
    public void A_network_that_says_accepted_without_asking_is_caught() =>
        AssertCaught(SayAccepted);

    [Fact]
    [Trait("Rule", "S9")]
    public void A_replica_that_promises_without_telling_what_it_holds_is_caught() =>
        AssertCaught(cluster => cluster.Network.Forge = (_, to, batch) =>
            to.Endpoint.Port % 2 == 0 && batch.Requests.All(request => request.Request is Prepare)
                ? new(null, [.. batch.Requests.Select(one => new Promise(one.Request.Ballot, Ballot.None, null))])
                : null);

    [Fact]
    [Trait("Rule", "S17")]
    public void A_host_that_does_not_hear_that_it_was_fenced_is_caught() =>
        AssertCaught(
            cluster => cluster.Intercept = (_, journals) => new DeafJournals(journals),
            by: "An answer is not in the log",
            Profile.Find("takeover"));

    [Fact]
    [Trait("Rule", "S13")]
    public void Places_that_put_older_documents_back_unseen_are_caught()
    {
        var profile = Profile.Find("membership")!;
        var problems = Enumerable.Range(0, Seeds)
            .SelectMany(seed => new MembershipRun(Scenario.Of(seed, profile), sabotage: PutBackNowAndThen)
                .Execute().Problems);
        Assert.Contains(problems, problem => problem.Contains("broke its word", StringComparison.Ordinal));
    }

    [Fact]
    public void A_mistake_that_is_taken_for_a_lost_message_is_caught() =>
        AssertCaught(
            cluster => cluster.Network.Forge = (_, _, batch) => batch.Requests.Length > 2
                ? throw new InvalidOperationException("Three are too many.")
                : null,
            by: "Three are too many.");

    [Fact]
    public void A_replica_that_does_not_come_back_is_caught() =>
        AssertCaught(
            cluster => cluster.Intercept = (silo, journals) =>
                silo.Endpoint.Port == SimulatedNetwork.Address(1).Endpoint.Port
                    ? new WornOutJournals(journals, appends: 20)
                    : journals,
            by: "After the faults a replica does not serve",
            Profile.Find("network"));

    [Fact]
    public void Calls_that_outlast_their_time_are_caught() =>
        AssertCaught(
            cluster => cluster.Settings = cluster.Settings with
            {
                RequestTimeout = cluster.Settings.RequestTimeout * 2,
            },
            by: "A call took too long");

    /// <summary>A network that says "accepted" without asking.</summary>
    internal static void SayAccepted(SimulatedCluster cluster) => cluster.Network.Forge = (_, _, batch) =>
        batch.Requests.All(request => request.Request is Accept)
            ? new(null, [.. batch.Requests.Select(request => new Accepted(request.Request.Ballot))])
            : null;

    private static void PutBackNowAndThen(DocumentPlace place)
    {
        var (plan, requests) = (place.Plan!, 0);
        ReadOnlyMemory<byte>? copy = null;
        place.Plan = request =>
        {
            if (++requests % 60 == 0)
            {
                if (copy is { } older)
                {
                    place.Put(MemberProcess.DocumentName, older);
                }

                copy = place.Find(MemberProcess.DocumentName)?.Bytes;
            }

            return plan(request);
        };
    }

    private void AssertCaught(
        Action<SimulatedCluster> sabotage, string by = "not linearizable", Profile? profile = null)
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            var problem = new SeedRun(Scenario.Of(seed, profile ?? Profile.Default), sabotage: sabotage)
                .Execute().Problems
                .FirstOrDefault(problem => problem.Contains(by, StringComparison.Ordinal));
            if (problem is not null)
            {
                output.WriteLine($"Seed {seed}: {problem}");
                return;
            }
        }

        Assert.Fail($"{Seeds} seeds did not notice.");
    }
}
