using System.Collections.Immutable;
using System.Net;
using System.Text;
using CsCheck;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orleans.Consensus.Tests.Fuzzing;
using Orleans.Consensus.Transport;
using Orleans.Runtime;

namespace Orleans.Consensus.Tests.Transport;

public sealed class CallerCheckTests
{
    private static readonly SiloAddress Silo = SiloAddress.New(IPAddress.Loopback, 11111, 5);

    private readonly FakeTimeProvider _time = new();
    private readonly Membership _membership = new();

    private CallerCheck Check => field ??= new(_membership, _time, NullLogger.Instance);

    [Theory]
    [InlineData(SiloStatus.Created, true)]
    [InlineData(SiloStatus.Joining, true)]
    [InlineData(SiloStatus.Active, true)]
    [InlineData(SiloStatus.ShuttingDown, true)]
    [InlineData(SiloStatus.Stopping, true)]
    [InlineData(SiloStatus.Dead, false)]
    public async Task A_silo_may_call_until_it_is_dead(SiloStatus status, bool may)
    {
        _membership.Set(status);

        Assert.Equal(may, await Check.IsLiveSiloAsync(Hosted(Silo.ToParsableString())));
        Assert.Equal(0, _membership.Refreshes);
    }

    [Fact]
    public async Task Whoever_is_no_hosted_client_is_refused_without_a_look_into_the_table()
    {
        _membership.Set(SiloStatus.Active);
        GrainId?[] others =
        [
            null,
            default(GrainId),
            GrainId.Create("sys.client", Guid.NewGuid().ToString("N")),
            GrainId.Create("sys.client", Silo.ToParsableString()),
            GrainId.Create("account", $"hosted-{Silo.ToParsableString()}"),
            GrainId.Create("sys.svc.user.75364F5E", Silo.ToParsableString()),
            Hosted(""),
            Hosted("nonsense"),
            Hosted("127.0.0.1:11111"),
            Hosted("127.0.0.1:x@5"),
            Hosted("127.0.0.1:11111@99999999999999"),
            Hosted(Silo.ToParsableString() + "\0"),
            Hosted(" " + Silo.ToParsableString()),
            Hosted("127.0.0.1:011111@5"),
        ];

        foreach (var other in others)
        {
            Assert.False(await Check.IsLiveSiloAsync(other), $"{other}");
        }

        Assert.Equal(0, _membership.Refreshes);
    }

    [Fact]
    public async Task A_silo_that_has_just_joined_is_found_by_a_refresh()
    {
        _membership.OnRefresh = () => _membership.Set(SiloStatus.Joining);

        Assert.True(await Check.IsLiveSiloAsync(Hosted(Silo.ToParsableString())));
        Assert.Equal(1, _membership.Refreshes);
    }

    [Fact]
    public async Task Unknown_callers_cost_one_refresh_a_second()
    {
        for (var i = 0; i < 50; i++)
        {
            Assert.False(await Check.IsLiveSiloAsync(Hosted($"127.0.0.1:{1000 + i}@5")));
        }

        Assert.Equal(1, _membership.Refreshes);
        _time.Advance(CallerCheck.RefreshInterval);
        Assert.False(await Check.IsLiveSiloAsync(Hosted(Silo.ToParsableString())));
        Assert.Equal(2, _membership.Refreshes);
    }

    [Fact]
    public async Task A_refresh_that_fails_refuses()
    {
        _membership.OnRefresh = () => throw new InvalidOperationException("no table");

        Assert.False(await Check.IsLiveSiloAsync(Hosted(Silo.ToParsableString())));
    }

    [Fact, Trait("Kind", "Fuzz")]
    public void Whatever_a_caller_calls_itself_it_is_the_silo_of_that_very_name_or_refused()
    {
        _membership.Set(SiloStatus.Active);
        string[] names = [Silo.ToParsableString(), "127.0.0.1:1@0", "[::1]:11111@5", "FE80::1%3:11111@-1", "a.b:80@7"];
        Fuzz.Run(
            Mutant.Of(Gen.OneOf([.. names.Select(name => Gen.Const(Encoding.UTF8.GetBytes(name)))])),
            bytes =>
            {
                var name = Encoding.UTF8.GetString(bytes);
                var check = new CallerCheck(_membership, _time, NullLogger.Instance);
                var isLive = Fuzz.Bounded(name.Length, () => check.IsLiveSiloAsync(Hosted(name)).AsTask());
                Assert.True(isLive.IsCompletedSuccessfully);
                Assert.Equal(name == Silo.ToParsableString(), isLive.GetAwaiter().GetResult());
            },
            1000);
    }

    private static GrainId Hosted(string silo) => GrainId.Create("sys.client", "hosted-" + silo);

    private sealed class Membership : IClusterMembershipService
    {
        public int Refreshes { get; private set; }

        public Action OnRefresh { get; set; } = () => { };

        public ClusterMembershipSnapshot CurrentSnapshot { get; private set; } =
            new(ImmutableDictionary<SiloAddress, ClusterMember>.Empty, new MembershipVersion(1));

        public IAsyncEnumerable<ClusterMembershipSnapshot> MembershipUpdates => throw new NotSupportedException();

        public void Set(SiloStatus status) => CurrentSnapshot = new(
            ImmutableDictionary<SiloAddress, ClusterMember>.Empty.Add(Silo, new(Silo, status, "silo")),
            new MembershipVersion(2));

        public ValueTask Refresh(MembershipVersion minimumVersion, CancellationToken cancellationToken)
        {
            Refreshes++;
            OnRefresh();
            return ValueTask.CompletedTask;
        }

        public Task<bool> TryKill(SiloAddress siloAddress) => throw new NotSupportedException();
    }
}
