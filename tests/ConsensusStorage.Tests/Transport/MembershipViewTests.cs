using System.Collections.Immutable;
using System.Net;
using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orleans.Consensus.Transport;
using Orleans.Runtime;

namespace Orleans.Consensus.Tests.Transport;

public sealed class MembershipViewTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);
    private static readonly SiloAddress Local = Silo(1);

    private readonly Membership _membership = new();
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task It_shows_the_silos_that_can_answer_and_always_this_one()
    {
        await using var view = Started();
        var reader = view.CreateReader();
        Assert.Equal([Local], reader.LiveSilos);

        _membership.Publish(
            (2, SiloStatus.Created), (3, SiloStatus.Joining), (4, SiloStatus.Active), (5, SiloStatus.ShuttingDown),
            (6, SiloStatus.Stopping), (7, SiloStatus.Dead));
        await reader.ChangedAsync(default).WaitAsync(Soon);

        Assert.Equal([Local, Silo(3), Silo(4), Silo(5), Silo(6)], reader.LiveSilos);
    }

    [Fact]
    public async Task Each_reader_is_told_of_each_change_once()
    {
        await using var view = Started();
        IMembershipView[] readers = [view.CreateReader(), view.CreateReader()];
        _membership.Publish((2, SiloStatus.Active));

        foreach (var reader in readers)
        {
            await reader.ChangedAsync(default).WaitAsync(Soon);
            Assert.False(reader.ChangedAsync(default).IsCompleted);
            Assert.Equal([Local, Silo(2)], reader.LiveSilos);
            Assert.False(reader.ChangedAsync(default).IsCompleted);
        }
    }

    [Fact]
    public async Task An_update_that_changes_no_silo_is_no_change()
    {
        await using var view = Started();
        var reader = view.CreateReader();
        _membership.Publish((2, SiloStatus.Active));
        await reader.ChangedAsync(default).WaitAsync(Soon);

        var changed = reader.ChangedAsync(default);
        _membership.Publish((2, SiloStatus.Active));
        _membership.Publish((2, SiloStatus.Active), (3, SiloStatus.Active));
        await changed.WaitAsync(Soon);

        Assert.Equal([Local, Silo(2), Silo(3)], reader.LiveSilos);
    }

    [Fact]
    public async Task Only_active_silos_stay_and_each_change_has_a_later_version()
    {
        await using var view = Started();
        var reader = view.CreateReader();
        _membership.Publish((2, SiloStatus.Joining), (3, SiloStatus.Active));
        await reader.ChangedAsync(default).WaitAsync(Soon);
        Assert.Equal([Silo(3)], reader.StayingSilos);
        var before = reader.Version;

        _membership.Publish((2, SiloStatus.Active), (3, SiloStatus.ShuttingDown));
        await reader.ChangedAsync(default).WaitAsync(Soon);

        Assert.Equal([Silo(2)], reader.StayingSilos);
        Assert.Equal([Local, Silo(2), Silo(3)], reader.LiveSilos);
        Assert.True(reader.Version > before);
    }

    [Fact]
    public async Task A_waiting_reader_can_be_cancelled()
    {
        await using var view = Started();
        using var cancellation = new CancellationTokenSource();
        var changed = view.CreateReader().ChangedAsync(cancellation.Token);

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => changed.WaitAsync(Soon));
    }

    [Fact]
    public async Task It_may_be_ended_twice_and_without_a_start()
    {
        var view = Create();

        await view.DisposeAsync();
        view.Dispose();
        view.Start();

        await view.DisposeAsync().AsTask().WaitAsync(Soon);
    }

    private static SiloAddress Silo(int number) => SiloAddress.New(IPAddress.Loopback, 11110 + number, 5);

    private OrleansMembershipView Started()
    {
        var view = Create();
        view.Start();
        return view;
    }

    private OrleansMembershipView Create() =>
        new(_membership, new LocalSilo(), _time, NullLogger<OrleansMembershipView>.Instance);

    private sealed class LocalSilo : ILocalSiloDetails
    {
        public string Name => "local";

        public string ClusterId => "cluster";

        public string DnsHostName => "localhost";

        public SiloAddress SiloAddress => Local;

        public SiloAddress GatewayAddress => Local;
    }

    private sealed class Membership : IClusterMembershipService
    {
        private readonly Channel<ClusterMembershipSnapshot> _updates =
            Channel.CreateUnbounded<ClusterMembershipSnapshot>();

        private long _version;

        public ClusterMembershipSnapshot CurrentSnapshot => throw new NotSupportedException();

        public IAsyncEnumerable<ClusterMembershipSnapshot> MembershipUpdates => _updates.Reader.ReadAllAsync();

        public void Publish(params (int Number, SiloStatus Status)[] silos) => _updates.Writer.TryWrite(new(
            silos.ToImmutableDictionary(
                silo => Silo(silo.Number),
                silo => new ClusterMember(Silo(silo.Number), silo.Status, $"silo{silo.Number}")),
            new MembershipVersion(++_version)));

        public ValueTask Refresh(MembershipVersion minimumVersion, CancellationToken cancellationToken) => default;

        public Task<bool> TryKill(SiloAddress siloAddress) => throw new NotSupportedException();
    }
}
