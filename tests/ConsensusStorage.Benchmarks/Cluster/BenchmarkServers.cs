using Orleans.Consensus.Azurite;

namespace Orleans.Consensus.Benchmarks.Cluster;

/// <summary>What a provider needs beside the silos.</summary>
internal enum ServerKind
{
    None,
    Redis,

    /// <summary>Azurites, an account each, as many as silos.</summary>
    Azurite,
}

/// <summary>The servers that the run started. They end with it.</summary>
internal sealed class BenchmarkServers : IAsyncDisposable
{
    /// <summary>One for each replica.</summary>
    public const int Azurites = 3;

    private readonly RedisServer? _redis;
    private readonly IReadOnlyList<AzuriteServer> _azurites;

    private BenchmarkServers(RedisServer? redis, IReadOnlyList<AzuriteServer> azurites)
    {
        _redis = redis;
        _azurites = azurites;
    }

    /// <summary>Of Redis, or null.</summary>
    public string? RedisAddress => _redis?.Address;

    /// <summary>Of the Azurites, or none.</summary>
    public IReadOnlyList<string> BlobAccounts => [.. _azurites.Select(azurite => azurite.ConnectionString)];

    /// <summary>Processor time that all of them have used.</summary>
    public TimeSpan ProcessorTime => _azurites.Aggregate(
        _redis?.ProcessorTime ?? TimeSpan.Zero, (sum, azurite) => sum + azurite.ProcessorTime);

    /// <exception cref="RedisMissingException">There is no redis-server.</exception>
    /// <exception cref="AzuriteException">Azurite can't be installed or started.</exception>
    public static async Task<BenchmarkServers> StartAsync(
        IReadOnlyCollection<ServerKind> kinds, string data, CancellationToken cancellationToken)
    {
        var redis = kinds.Contains(ServerKind.Redis)
            ? await RedisServer.StartAsync(Path.Combine(data, "redis"), cancellationToken)
            : null;
        var servers = new BenchmarkServers(redis, []);
        if (!kinds.Contains(ServerKind.Azurite))
        {
            return servers;
        }

        try
        {
            // As its users have it: it saves its list of blobs every few seconds, not for every write.
            var options = new AzuriteOptions { Directory = Path.Combine(data, "azurite"), ForgetsNothing = false };
            return new(redis, await AzuriteServer.StartAsync(Azurites, options, cancellationToken));
        }
        catch
        {
            await servers.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var azurite in _azurites)
        {
            await azurite.DisposeAsync();
        }

        if (_redis is not null)
        {
            await _redis.DisposeAsync();
        }
    }
}
