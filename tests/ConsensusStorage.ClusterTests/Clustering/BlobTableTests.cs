using System.Collections.Immutable;
using Azure.Storage.Blobs;
using Orleans.Consensus.Clustering.Documents;
using Orleans.Consensus.ClusterTests.Support;
using Orleans.Consensus.Journaling.Blobs;
using Orleans.Consensus.Tests.Clustering;

namespace Orleans.Consensus.ClusterTests.Clustering;

/// <summary>A cluster's membership in blobs of three accounts.</summary>
public sealed class BlobTableTests : MembershipTableCases
{
    private static readonly TimeSpan Try = TimeSpan.FromSeconds(5);

    internal static BlobDocuments PlaceIn(string account, string container) => new(
        new BlobContainerClient(account, container, AzureAppendBlobs.OptionsFor(Try)), Try, TimeProvider.System);

    internal override async ValueTask<ImmutableArray<IDocuments>> CreatePlacesAsync()
    {
        var container = $"members-{Guid.NewGuid():N}";
        return [.. (await SharedAccounts.TakeAsync(3)).Select(account => PlaceIn(account, container))];
    }
}

/// <summary>One place of them.</summary>
public sealed class BlobDocumentTests : DocumentCases
{
    private protected override async ValueTask<IDocuments> OpenAsync() => BlobTableTests.PlaceIn(
        (await SharedAccounts.TakeAsync(1))[0], $"documents-{Guid.NewGuid():N}");
}
