using System.Buffers.Binary;
using System.IO.Hashing;
using Orleans.Configuration;
using Orleans.Consensus.ClusterTests.Support;
using Orleans.Runtime;

namespace Orleans.Consensus.ClusterTests.Refusals;

/// <summary>Silos that must not start: the error names what is wrong, and nothing is written.</summary>
public sealed class RefusedStartTests : IDisposable
{
    private static readonly Dictionary<string, Action<ConsensusStoreOptions>> OutOfRange = new()
    {
        ["Replicas 2"] = options => options.Replicas = ["r0", "r1"],
        ["Replicas twice"] = options => options.Replicas = ["r0", "R0", "r1"],
        ["Replicas ../r"] = options => options.Replicas = ["r0", "../r", "r1"],
        ["ReplicaId r7"] = options => options.ReplicaId = "r7",
        ["DataDirectory empty"] = options => options.DataDirectory = " ",
        ["Groups 0"] = options => options.Groups = 0,
        ["Groups 4097"] = options => options.Groups = 4097,
        ["RequestTimeout 0"] = options => options.RequestTimeout = TimeSpan.Zero,
        ["RoundTimeout over the other"] = options => options.RoundTimeout = TimeSpan.FromHours(1),
        ["MaxStateBytes 0"] = options => options.MaxStateBytes = 0,
        ["MaxStateBytes 1 GiB"] = options => options.MaxStateBytes = 1 << 30,
        ["MaxPendingChanges 0"] = options => options.MaxPendingChanges = 0,
        ["MaxQueuedBytesPerReplica 1"] = options => options.MaxQueuedBytesPerReplica = 1,
        ["PromiseCacheSize -1"] = options => options.PromiseCacheSize = -1,
        ["ValueCacheBytes -1"] = options => options.ValueCacheBytes = -1,
        ["MaxBatchBytes 1"] = options => options.MaxBatchBytes = 1,
        ["SegmentBytes 1"] = options => options.SegmentBytes = 1,
        ["ClusterSecret short"] = options => options.ClusterSecret = "short",
    };

    private readonly TemporaryDirectory _directory = new();
    private readonly ClusterPlan _plan;

    public RefusedStartTests() => _plan = new() { Directory = _directory.Path, Silos = 1, Replicas = 1 };

    public static TheoryData<string> OptionsOutOfRange => [.. OutOfRange.Keys];

    public void Dispose() => _directory.Dispose();

    [Theory]
    [MemberData(nameof(OptionsOutOfRange))]
    public async Task An_option_out_of_range_is_named(string option)
    {
        Assert.SkipWhen(
            _plan.Blobs && (option.StartsWith("ReplicaId", StringComparison.Ordinal)
                || option.StartsWith("DataDirectory", StringComparison.Ordinal)),
            "Logs in blobs have no use for it.");
        var message = await RefusedAsync(_plan with { Store = (_, options) => OutOfRange[option](options) });

        Assert.Contains(option.Split(' ')[0], message, StringComparison.Ordinal);
        Assert.Contains("store 'Default'", message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory.Path));
    }

    [Fact]
    public async Task A_log_of_another_service_is_refused()
    {
        ClusterPlan.SkipUnlessFiles();
        await WriteOnceAsync();

        await AssertRefusedAsync(_plan with { Service = "another" }, "ServiceId", _plan.Service, "another");
    }

    [Fact]
    public async Task A_log_of_another_replica_list_is_refused()
    {
        ClusterPlan.SkipUnlessFiles();
        await WriteOnceAsync();

        await AssertRefusedAsync(_plan with { Replicas = 3 }, "replica list", "'r0'", "'r0,r1,r2'");
    }

    [Fact]
    public async Task A_log_of_another_group_count_is_refused()
    {
        ClusterPlan.SkipUnlessFiles();
        await WriteOnceAsync();

        await AssertRefusedAsync(
            _plan with { Store = (_, options) => options.Groups = 8 }, "number of groups", "'4'", "'8'");
    }

    [Fact]
    public async Task A_log_in_the_directory_of_another_replica_is_refused()
    {
        ClusterPlan.SkipUnlessFiles();
        await WriteOnceAsync();
        var store = Path.Combine(_plan.DirectoryOf(0), "Default");
        Directory.Move(Path.Combine(store, "r0"), Path.Combine(store, "other"));

        await AssertRefusedAsync(
            _plan with { Store = (_, options) => (options.Replicas, options.ReplicaId) = (["other"], "other") },
            "the replica",
            "'r0'",
            "'other'");
    }

    [Fact]
    public async Task A_log_of_a_newer_format_is_refused()
    {
        ClusterPlan.SkipUnlessFiles();
        const int headerBytes = 4096;
        const int hashAt = headerBytes - 16;
        await WriteOnceAsync();
        var segment = _directory.Snapshot().Keys.Order().First();
        var bytes = await File.ReadAllBytesAsync(segment);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), 3);
        BinaryPrimitives.WriteUInt128LittleEndian(
            bytes.AsSpan(hashAt), XxHash128.HashToUInt128(bytes.AsSpan(0, hashAt)));
        await File.WriteAllBytesAsync(segment, bytes);

        await AssertRefusedAsync(_plan, "format version 3", "Segment 1", Path.GetDirectoryName(segment)!);
    }

    [Fact]
    public async Task A_directory_that_is_a_file_is_refused()
    {
        ClusterPlan.SkipUnlessFiles();
        await File.WriteAllTextAsync(_plan.DirectoryOf(0), "not a directory");

        var message = await RefusedAsync(_plan);

        Assert.Contains(_plan.DirectoryOf(0), message, StringComparison.Ordinal);
        Assert.Contains("replica 'r0'", message, StringComparison.Ordinal);
        Assert.Equal("not a directory", await File.ReadAllTextAsync(_plan.DirectoryOf(0)));
    }

    [Fact]
    public async Task Two_silos_with_one_directory_are_refused()
    {
        ClusterPlan.SkipUnlessFiles();
        var plan = _plan with
        {
            Store = (_, options) => (options.ReplicaId, options.DataDirectory) = ("r0", _plan.DirectoryOf(0)),
        };
        await using var cluster = await TestedCluster.StartAsync(plan);
        var client = new StorageClient(cluster, 0, StorageClient.NewId());
        await client.WriteAsync(1);

        var message = MessageOf(await Assert.ThrowsAnyAsync<Exception>(() => LoneSilo.RunAsync(plan, 1)));

        Assert.Contains("in use by silo Silo_0", message, StringComparison.Ordinal);
        Assert.Contains(_plan.DirectoryOf(0), message, StringComparison.Ordinal);
        await client.WriteAsync(2);
    }

    private static string MessageOf(Exception thrown) =>
        Causes.Of(thrown).OfType<OrleansConfigurationException>().FirstOrDefault()?.Message
        ?? throw new InvalidOperationException("This is no configuration error.", thrown);

    private static async Task<string> RefusedAsync(ClusterPlan plan) =>
        MessageOf(await Assert.ThrowsAnyAsync<Exception>(() => LoneSilo.RunAsync(plan, 0)));

    private async Task AssertRefusedAsync(ClusterPlan plan, params string[] named)
    {
        var before = _directory.Snapshot();

        var message = await RefusedAsync(plan);

        Assert.All(named, name => Assert.Contains(name, message, StringComparison.Ordinal));
        var after = _directory.Snapshot();
        Assert.Equal(before.Keys.Order(), after.Keys.Order());
        Assert.All(before, file => Assert.Equal(file.Value, after[file.Key]));
    }

    private async Task WriteOnceAsync()
    {
        await using var cluster = await TestedCluster.StartAsync(_plan);
        await new StorageClient(cluster, 0, StorageClient.NewId()).WriteAsync(1);
    }
}
