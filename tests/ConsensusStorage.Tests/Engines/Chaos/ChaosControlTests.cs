using Orleans.Consensus.Paxos;

namespace Orleans.Consensus.Tests.Engines.Chaos;

/// <summary>
/// Negative controls: clusters that are broken on purpose have to be caught, or the chaos tests have rotted into "yes".
/// </summary>
public sealed class ChaosControlTests(ITestOutputHelper output)
{
    private const int Seeds = 60;

    [Fact]
    [Trait("Rule", "S5")]
    public void A_log_that_answers_before_the_flush_and_loses_it_is_caught() =>
        AssertCaught(cluster =>
        {
            var random = new Random(1);
            cluster.Intercept = journals => new ForgetfulJournals(journals, random);
            cluster.Settings = cluster.Settings with { ValueCacheBytes = 1 << 20 };
        });

    [Fact]
    [Trait("Rule", "S6")]
    public void A_network_that_says_accepted_without_asking_is_caught() =>
        AssertCaught(cluster => cluster.Network.Forge = (_, _, batch) =>
            batch.Requests.All(request => request.Request is Accept)
                ? new(null, [.. batch.Requests.Select(request => new Accepted(request.Request.Ballot))])
                : null);

    [Fact]
    [Trait("Rule", "S9")]
    public void A_replica_that_promises_without_telling_what_it_holds_is_caught() =>
        AssertCaught(cluster => cluster.Network.Forge = (_, to, batch) =>
            to.Endpoint.Port % 2 == 0 && batch.Requests.All(request => request.Request is Prepare)
                ? new(null, [.. batch.Requests.Select(one => new Promise(one.Request.Ballot, Ballot.None, null))])
                : null);

    [Fact]
    public void One_seed_takes_one_course()
    {
        for (var seed = 0; seed < 5; seed++)
        {
            Assert.Equal(new ChaosRun(seed).Execute().Fingerprint, new ChaosRun(seed).Execute().Fingerprint);
        }
    }

    private void AssertCaught(Action<SimulatedCluster> sabotage)
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            var problem = new ChaosRun(seed, sabotage).Execute().Problems
                .FirstOrDefault(problem => problem.Contains("not linearizable", StringComparison.Ordinal));
            if (problem is not null)
            {
                output.WriteLine($"Seed {seed}: {problem}");
                return;
            }
        }

        Assert.Fail($"{Seeds} seeds did not notice.");
    }
}
