using Azure.Storage.Blobs;
using Orleans.Consensus.Azurite;
using Orleans.Consensus.ClusterTests.Support;

namespace Orleans.Consensus.ClusterTests.Blobs;

/// <summary>Three storage accounts that tests may kill and pause; each test begins with all of them in order.</summary>
public sealed class BreakableAccounts : IAsyncLifetime
{
    private IReadOnlyList<AzuriteServer> _servers = [];

    public async ValueTask InitializeAsync() =>
        _servers = await AzuriteServer.StartAsync(3, cancellationToken: TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers)
        {
            await server.DisposeAsync();
        }
    }

    /// <summary>The account of replica <c>r0</c>, <c>r1</c> or <c>r2</c>.</summary>
    public AzuriteServer this[int replica] => _servers[replica];

    /// <summary>Three silos whose logs are in these accounts, in a container of their own.</summary>
    internal ClusterPlan NewPlan() =>
        new() { Blobs = true, Accounts = [.. _servers.Select(server => server.ConnectionString)] };

    /// <summary>The container of a plan's logs in the account of a replica.</summary>
    internal BlobContainerClient ContainerOf(ClusterPlan plan, int replica) =>
        new(_servers[replica].ConnectionString, plan.Container);

    /// <summary>Starts what was killed, and lets go on what was paused.</summary>
    public async Task RestoreAsync()
    {
        foreach (var server in _servers)
        {
            if (server.IsRunning)
            {
                server.Resume();
            }
            else
            {
                await server.StartAgainAsync(TestContext.Current.CancellationToken);
            }
        }
    }
}

/// <summary>All classes that use <see cref="BreakableAccounts"/>.</summary>
[CollectionDefinition(nameof(BreakableAccounts))]
public sealed class BreakableAccountsDefinition : ICollectionFixture<BreakableAccounts>;
