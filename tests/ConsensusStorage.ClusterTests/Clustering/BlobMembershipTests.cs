using Azure.Storage.Blobs;
using Orleans.Configuration;
using Orleans.Consensus.Clustering;
using Orleans.Consensus.Clustering.Documents;
using Orleans.Consensus.ClusterTests.Support;
using Orleans.Consensus.Hosting;
using Orleans.Consensus.Journaling.Blobs;

namespace Orleans.Consensus.ClusterTests.Clustering;

/// <summary>Documents in real blobs.</summary>
public sealed class BlobMembershipTests : IAsyncLifetime
{
    private readonly string _container = $"members-{Guid.NewGuid():N}";
    private IReadOnlyList<string> _accounts = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _accounts = await SharedAccounts.TakeAsync(3);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

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
        var place = PlaceIn(_accounts[0]);
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

    private Membership Open(string cluster) => MembershipPlaces.Create(
        [.. _accounts.Select(PlaceIn)],
        new ClusterOptions { ServiceId = "service", ClusterId = cluster },
        TimeSpan.FromSeconds(30),
        TimeProvider.System,
        new Random());

    private BlobDocuments PlaceIn(string account) => BlobTableTests.PlaceIn(account, _container);
}
