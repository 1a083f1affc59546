using Orleans.Consensus.Simulation.Faults;
using Orleans.Consensus.Simulation.Scenarios;

namespace Orleans.Consensus.Tests.Simulation;

/// <summary>The faults that only replicas that float know.</summary>
public sealed class FloatingFaultTests
{
    private readonly SimulatedCluster _cluster = new();
    private readonly List<FaultKind> _felt = [];

    public static TheoryData<string> Kinds =>
    [
        .. Enum.GetValues<FaultKind>()
            .Where(kind => !kind.Fits(floats: false) && !kind.IsOfDocuments())
            .Select(kind => $"{kind}"),
    ];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Each_strikes_and_does_no_harm(string kind)
    {
        var shares = !Enum.Parse<FaultKind>(kind).Fits(floats: true);
        var profile = Profile.Find(shares ? "shared" : "takeover")! with { Operations = 60 };
        var fault = new PlannedFault(
            0, Enum.Parse<FaultKind>(kind), TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(3), 1, Seed: 5);
        var run = new SeedRun(Scenario.Of(3, profile) with { Faults = [fault], FormsInTrouble = false }).Execute();
        Assert.Empty(run.Problems);
        Assert.Equal(fault.Kind, Assert.Single(run.Faults.Keys));
    }

    [Fact]
    public void A_disk_has_no_account_and_an_account_no_disk()
    {
        foreach (var profile in Profile.All)
        {
            for (var seed = 0; seed < 30; seed++)
            {
                var scenario = Scenario.Of(seed, profile);
                Assert.All(scenario.Faults, fault => Assert.True(fault.Kind.Fits(scenario.Floats, scenario.Shares)));
                Assert.True(profile.Floating is > 0 and < 1 || scenario.Floats == (profile.Floating == 1));
            }
        }

        Assert.InRange(Enumerable.Range(0, 1000).Count(seed => Scenario.Of(seed, Profile.Default).Floats), 150, 250);
    }

    [Fact]
    public void At_most_a_minority_of_accounts_is_out_of_reach()
    {
        var faults = new BlobFaults(_cluster, _cluster.Float(maxAppends: 10), new(1));
        _cluster.Run(async () =>
        {
            await _cluster.StartAllAsync();
            await _cluster.FindOneAnotherAsync();
            var down = faults.StrikeAsync(Due(FaultKind.AccountDown, 0), new(1));
            Assert.True(faults.StrikeAsync(Due(FaultKind.NoRights, 1), new(1)).IsCompleted);
            Assert.True(faults.StrikeAsync(Due(FaultKind.LostAccount, 2), new(1)).IsCompleted);
            Assert.IsType<ChangeResult.Applied>(await _cluster.WriteAsync(0, "k", null, "text"));
            await down;
            await faults.StrikeAsync(Due(FaultKind.LostAccount, 2), new(1));
            Assert.True(faults.StrikeAsync(Due(FaultKind.AccountDown, 0), new(1)).IsCompleted);
            Assert.IsType<ChangeResult.Applied>(await _cluster.WriteAsync(1, "l", null, "text"));
        });
        Assert.Equal([FaultKind.AccountDown, FaultKind.LostAccount], _felt);
        Assert.Equal([2], faults.Lost);
    }

    [Fact]
    public void A_silo_that_hears_no_news_sees_what_it_saw()
    {
        _cluster.Float(maxAppends: 10);
        _cluster.Run(async () =>
        {
            await _cluster.StartAllAsync();
            var address = _cluster.Addresses[0];
            var view = _cluster.Network.ViewOf(address);
            var (live, version) = (view.LiveSilos, view.Version);
            _cluster.Network.Freeze(address);
            _cluster.Network.Forget(address);
            await _cluster.StopAsync(1);
            Assert.Equal(live, view.LiveSilos);
            Assert.Equal(version, view.Version);
            _cluster.Network.Thaw(address);
            Assert.Equal([_cluster.Addresses[2]], view.LiveSilos);
            Assert.True(view.Version > version);
        });
    }

    private ActiveFault Due(FaultKind kind, int replica) => new(
        new(0, kind, TimeSpan.Zero, TimeSpan.FromSeconds(2), replica, Seed: 5), fault => _felt.Add(fault.Kind));
}
