using System.Net;
using Azure.Storage.Blobs;
using Orleans.Configuration;
using Orleans.Consensus.Clustering;
using Orleans.Consensus.Clustering.Documents;
using Orleans.Consensus.ClusterTests.Support;
using Orleans.Consensus.Hosting;
using Orleans.Consensus.Journaling.Blobs;
using Orleans.Runtime;

namespace Orleans.Consensus.ClusterTests.Clustering;

/// <summary>A cluster's membership in real blobs.</summary>
public sealed class BlobMembershipTests : IAsyncLifetime
{
    private static readonly TimeSpan Try = TimeSpan.FromSeconds(5);

    private readonly string _container = $"members-{Guid.NewGuid():N}";
    private IReadOnlyList<string> _accounts = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _accounts = await SharedAccounts.TakeAsync(3);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Silos_join_at_once_and_clients_see_them()
    {
        var silos = Enumerable.Range(0, 8).Select(Silo).ToList();
        await Task.WhenAll(silos.Select(JoinAsync));

        var membership = Open("cluster");
        var table = new ConsensusMembershipTable(membership);
        var read = await table.ReadAllAsync(Cancel);
        Assert.Equal(silos.Count, read.Members.Count);
        Assert.Equal(silos.Count, read.Version.Version);
        Assert.Equal(silos.Count, (await membership.PeekAsync(Cancel)).Rows.Rows.Count);

        var alive = DateTime.UtcNow.AddMinutes(1);
        await table.UpdateIAmAliveAsync(new() { SiloAddress = silos[3].SiloAddress, IAmAliveTime = alive }, Cancel);
        Assert.Equal(
            alive, (await table.ReadRowAsync(silos[3].SiloAddress, Cancel)).Members.Single().Item1.IAmAliveTime);
        await table.CleanupDefunctSiloEntriesAsync(DateTimeOffset.UtcNow.AddDays(1), Cancel);
        var rest = await table.ReadAllAsync(Cancel);
        Assert.All(rest.Members, member => Assert.Equal(SiloStatus.Active, member.Item1.Status));
        Assert.Equal(4, rest.Members.Count);
    }

    [Fact]
    public async Task Another_cluster_is_refused()
    {
        await Open("cluster").FormAsync(Cancel);
        var refused = await Assert.ThrowsAsync<ForeignDocumentException>(() => Open("other").FormAsync(Cancel));
        Assert.Contains(_container, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_document_is_replaced_only_over_its_tag()
    {
        IDocuments place = PlaceIn(_accounts[0]);
        Assert.Null(await place.ReadAsync("document", Cancel));
        Assert.False(await place.TryWriteAsync("document", "\"0x1\"", new byte[] { 1 }, Cancel));
        Assert.True(await place.TryWriteAsync("document", null, new byte[] { 1 }, Cancel));
        Assert.False(await place.TryWriteAsync("document", null, new byte[] { 2 }, Cancel));
        var first = await place.ReadAsync("document", Cancel);
        Assert.True(await place.TryWriteAsync("document", first!.Value.Tag, new byte[] { 3 }, Cancel));
        Assert.False(await place.TryWriteAsync("document", first.Value.Tag, new byte[] { 4 }, Cancel));
        Assert.Equal([3], (await place.ReadAsync("document", Cancel))!.Value.Bytes.ToArray());
        await place.ForgetAsync("nothing", Cancel);
        Assert.Empty(await place.NotesAsync("nothing/", Cancel));
    }

    private static MembershipEntry Silo(int number) => new()
    {
        SiloAddress = SiloAddress.New(IPAddress.Loopback, 11111 + number, 1),
        HostName = "host",
        SiloName = $"silo{number}",
        Status = number % 2 == 0 ? SiloStatus.Active : SiloStatus.Dead,
        ProxyPort = 30000,
        StartTime = DateTime.UtcNow,
        IAmAliveTime = DateTime.UtcNow,
    };

    private async Task JoinAsync(MembershipEntry entry)
    {
        var membership = Open("cluster");
        await membership.FormAsync(Cancel);
        var table = new ConsensusMembershipTable(membership);
        await Eventually.BecomesAsync(
            async () =>
            {
                // An attempt that failed may have done it.
                var read = await table.ReadAllAsync(Cancel);
                return read.TryGet(entry.SiloAddress) is not null
                    || await table.InsertRowAsync(entry, read.Version.Next(), Cancel);
            },
            done => done);
    }

    private Membership Open(string cluster) => MembershipPlaces.Create(
        [.. _accounts.Select(PlaceIn)],
        new ClusterOptions { ServiceId = "service", ClusterId = cluster },
        TimeSpan.FromSeconds(30),
        TimeProvider.System,
        new Random());

    private IDocuments PlaceIn(string account) => new BlobDocuments(
        new BlobContainerClient(account, _container, AzureAppendBlobs.OptionsFor(Try)), Try, TimeProvider.System);
}
