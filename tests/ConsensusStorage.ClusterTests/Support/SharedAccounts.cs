using Orleans.Consensus.Azurite;

[assembly: AssemblyFixture(typeof(Orleans.Consensus.ClusterTests.Support.SharedAccounts))]

namespace Orleans.Consensus.ClusterTests.Support;

/// <summary>
/// Storage accounts that all clusters of this process share, none of which is ever broken. They start when the first
/// one asks for them and end with the last test.
/// </summary>
public sealed class SharedAccounts : IAsyncDisposable
{
    private static readonly SemaphoreSlim OneAtATime = new(1);
    private static readonly List<AzuriteServer> Servers = [];

    /// <summary>Connection strings of the first <paramref name="count"/> accounts.</summary>
    internal static async Task<IReadOnlyList<string>> TakeAsync(int count)
    {
        await OneAtATime.WaitAsync();
        try
        {
            if (Servers.Count < count)
            {
                Servers.AddRange(await AzuriteServer.StartAsync(
                    count - Servers.Count, new() { ForgetsNothing = false }));
            }

            return [.. Servers.Take(count).Select(server => server.ConnectionString)];
        }
        finally
        {
            OneAtATime.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in Servers)
        {
            await server.DisposeAsync();
        }

        Servers.Clear();
        GC.SuppressFinalize(this);
    }
}
