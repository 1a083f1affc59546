using Orleans.Consensus.Journaling;
using Orleans.Consensus.Simulation.Oracles;
using Orleans.Runtime;

namespace Orleans.Consensus.Tests.Simulation;

/// <summary>Who was fenced out and when it may come back.</summary>
public sealed class FightOracleTests
{
    private static readonly JournalIdentity Identity = new("service", "Default", new("r0"), "r0", 1, 1, new(1));
    private static readonly SiloAddress One = SimulatedNetwork.Address(1);
    private static readonly SiloAddress Other = SimulatedNetwork.Address(2);

    private readonly SimulatedScheduler _kernel = new();
    private readonly ListedJournals _log = new();
    private readonly List<string> _problems = [];
    private readonly FightOracle _fights;

    public FightOracleTests() => _fights = new(_kernel.Time, _problems.Add);

    [Theory]
    [InlineData(0, true)]
    [InlineData(100, true)]
    [InlineData(250, false)]
    [Trait("Rule", "S17")]
    public void A_host_that_was_fenced_leaves_the_log_alone_for_a_while(int milliseconds, bool isTold) =>
        _kernel.Run(async () =>
        {
            var former = await OpenAsync(One);
            await OpenAsync(Other);
            await Assert.ThrowsAsync<JournalFencedException>(
                async () => await former.AppendAsync(new(), CancellationToken.None));
            await OpenAsync(Other);
            Assert.Empty(_problems);
            await _kernel.Time.Pass(TimeSpan.FromMilliseconds(milliseconds));
            await OpenAsync(One);
            Assert.Equal(isTold, _problems.Count > 0);
        });

    [Fact]
    [Trait("Rule", "S17")]
    public async Task In_peace_no_log_is_opened()
    {
        await OpenAsync(One);
        Assert.Empty(_problems);
        _fights.IsPeace = true;
        await OpenAsync(Other);
        Assert.StartsWith("A log was opened in the middle", Assert.Single(_problems), StringComparison.Ordinal);
    }

    private ValueTask<IJournal> OpenAsync(SiloAddress silo) => _fights.Watch(silo, _log).OpenAsync(
        Identity, new("cluster", "silo"), null, (_, _, _) => { }, CancellationToken.None);
}
