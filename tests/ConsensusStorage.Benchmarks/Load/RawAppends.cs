using System.Globalization;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using Orleans.Consensus.Benchmarks.Cluster;

namespace Orleans.Consensus.Benchmarks.Load;

/// <summary>
/// What nothing over append blobs can beat: one caller appends a block to one log, or to one in each account at a
/// time, and waits for some of the answers.
/// </summary>
internal sealed class RawAppends(BenchmarkCluster cluster, BenchmarkOptions options) : IWorkload
{
    public const string WorkloadName = "raw appends of 4 KiB";

    /// <summary>One log, waited for.</summary>
    public const string One = "AppendBlock, 1 of 1";

    /// <summary>As a replicated write does it: the slowest of three is not waited for.</summary>
    public const string Majority = "AppendBlock, 2 of 3";

    /// <summary>The slowest of three is waited for.</summary>
    public const string All = "AppendBlock, 3 of 3";

    private RawLog[] _logs = [];
    private int _runs;

    public string Name => WorkloadName;

    public IReadOnlyList<string> Subjects => [One, Majority, All];

    public IReadOnlyList<int> Concurrency => [1];

    public TimeSpan Warmup => options.Warmup;

    public async Task<IReadOnlyList<Call>> PrepareAsync(
        string subject, int concurrency, CancellationToken cancellationToken)
    {
        var (logs, needed) = subject switch
        {
            One => (1, 1),
            Majority => (3, 2),
            All => (3, 3),
            _ => throw new ArgumentOutOfRangeException(nameof(subject), subject, "There is no such append."),
        };
        var container = string.Create(CultureInfo.InvariantCulture, $"raw-{_runs++}");
        _logs = [.. cluster.Servers.BlobAccounts.Take(logs).Select(account => new RawLog(new(account, container)))];
        await Task.WhenAll(_logs.Select(log => log.CreateAsync()));
        return [() => AppendAsync(needed)];
    }

    public Task VerifyAsync() => Task.WhenAll(_logs.Select(log => log.CheckAsync()));

    private async ValueTask<bool> AppendAsync(int needed)
    {
        await foreach (var answer in Task.WhenEach(_logs.Select(log => log.AppendAsync())))
        {
            await answer;
            if (--needed == 0)
            {
                break;
            }
        }

        return true;
    }
}

/// <summary>
/// Append blobs of one account, one append in flight, each at its position; what comes meanwhile goes together with the
/// next one. Thread-safe.
/// </summary>
internal sealed class RawLog(BlobContainerClient container)
{
    private const int BlockBytes = 4096;

    // Reading gets slower with every block, so that no log would have more of them in a blob.
    private const int BlocksOfABlob = 1000;

    private readonly SemaphoreSlim _turn = new(1);
    private AppendBlobClient? _blob;
    private int _waiting;
    private int _blobs;
    private int _blocks;
    private long _position;
    private long _asked;

    public Task CreateAsync() => container.CreateAsync();

    /// <summary>Returns when a block of its own, or a larger one with it inside, is appended.</summary>
    public async Task AppendAsync()
    {
        Interlocked.Increment(ref _waiting);
        await _turn.WaitAsync();
        try
        {
            // None are left if this one went with another's.
            var count = Interlocked.Exchange(ref _waiting, 0);
            if (count > 0)
            {
                await AppendAsync(count * BlockBytes);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Waits for what is under way, and looks whether all of it is there.</summary>
    public async Task CheckAsync()
    {
        await AppendAsync();
        var stored = 0L;
        await foreach (var blob in container.GetBlobsAsync())
        {
            stored += blob.Properties.ContentLength!.Value;
        }

        if (stored != _asked)
        {
            throw new InvalidOperationException($"{stored} bytes are stored, and {_asked} had been appended.");
        }
    }

    private async Task AppendAsync(int bytes)
    {
        if (_blob is null || _blocks == BlocksOfABlob)
        {
            _blob = container.GetAppendBlobClient(_blobs++.ToString("d6", CultureInfo.InvariantCulture));
            await _blob.CreateAsync(
                new AppendBlobCreateOptions { Conditions = new() { IfNoneMatch = ETag.All } });
            (_blocks, _position) = (0, 0);
        }

        var options = new AppendBlobAppendBlockOptions { Conditions = new() { IfAppendPositionEqual = _position } };
        await _blob.AppendBlockAsync(new MemoryStream(new byte[bytes]), options);
        _blocks++;
        _position += bytes;
        _asked += bytes;
    }
}
