using Orleans.Consensus.ClusterTests.Support;
using Orleans.Runtime;
using Orleans.Storage;

namespace Orleans.Consensus.ClusterTests.Provider;

/// <summary>States of unusual sizes under unusual names, and providers side by side.</summary>
[Collection(nameof(SharedCluster))]
public sealed class StateShapeTests(SharedCluster cluster)
{
    private static readonly string[] OddKeys =
    [
        "",
        " ",
        "a/b",
        "a",
        "b/a/",
        "/",
        "a\0b",
        "\0",
        "..",
        "../../etc/passwd",
        "äöü-ключ-鍵-🔑",
        "e\u0301",
        "\u00e9",
        "A",
        "a+b@c:d#e%20",
        new('k', 1024),
        new('k', 1023),
    ];

    private static readonly string[] OddStateNames =
        ["", " ", "s", "S", "s/t", "s\0t", "состояние", new('s', 1024)];

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1024 * 1024)]
    [InlineData(SharedCluster.MaxStateBytes)]
    public async Task A_state_of_this_many_bytes_comes_back_as_it_was(int size)
    {
        var id = GrainId.Create("blob", Guid.NewGuid().ToString("N"));
        var state = new GrainState<Blob>(new() { Bytes = RandomBytes(size) });
        for (var write = 0; write < 2; write++)
        {
            await Raw(write).WriteStateAsync("blob", id, state);
        }

        for (var silo = 0; silo < 3; silo++)
        {
            var read = await ReadAsync(Raw(silo), "blob", id);
            Assert.True(read.RecordExists);
            Assert.Equal(state.ETag, read.ETag);
            Assert.Equal(state.State!.Bytes, read.State!.Bytes);
        }
    }

    [Theory]
    [InlineData(SharedCluster.Json)]
    [InlineData(SharedCluster.Binary)]
    public async Task A_null_state_is_read_as_the_memory_provider_reads_it(string provider)
    {
        var id = GrainId.Create("blob", Guid.NewGuid().ToString("N"));
        var read = new List<(bool Exists, bool IsFresh, bool HasETag)>();
        foreach (var storage in new[] { Storage(0, SharedCluster.Memory), Storage(0, provider) })
        {
            var written = new GrainState<Blob> { State = null! };
            await storage.WriteStateAsync("blob", id, written);
            Assert.True(written.RecordExists);
            var state = await ReadAsync(storage, "blob", id);
            read.Add((state.RecordExists, state.State is { Bytes: null }, state.ETag is not null));
            await storage.WriteStateAsync("blob", id, state);
            Assert.True((await ReadAsync(storage, "blob", id)).RecordExists);
        }

        Assert.Equal(read[0], read[1]);
    }

    [Fact]
    public async Task A_state_over_the_limit_is_refused_and_the_former_one_stays()
    {
        var id = GrainId.Create("blob", Guid.NewGuid().ToString("N"));
        var state = new GrainState<Blob>(new() { Bytes = [1, 2, 3] });
        await Raw(0).WriteStateAsync("blob", id, state);
        var etag = state.ETag;
        state.State = new() { Bytes = new byte[SharedCluster.MaxStateBytes + 1] };

        var refused = await Assert.ThrowsAsync<ConsensusStorageException>(
            () => Raw(0).WriteStateAsync("blob", id, state));

        Assert.Contains("MaxStateBytes", refused.Message, StringComparison.Ordinal);
        Assert.Contains($"{SharedCluster.MaxStateBytes + 1} bytes", refused.Message, StringComparison.Ordinal);
        Assert.Contains(id.ToString(), refused.Message, StringComparison.Ordinal);
        Assert.False(refused.MayHaveHappened);
        Assert.Equal(etag, state.ETag);
        Assert.Equal([1, 2, 3], (await ReadAsync(Raw(1), "blob", id)).State!.Bytes);
        state.State = new() { Bytes = [4] };
        await Raw(0).WriteStateAsync("blob", id, state);
    }

    [Fact]
    public async Task Names_over_the_limit_are_refused()
    {
        var id = GrainId.Create("blob", new string('k', 9000));

        var refused = await Assert.ThrowsAsync<ConsensusStorageException>(
            () => Raw(0).WriteStateAsync("blob", id, new GrainState<Blob>(new() { Bytes = [1] })));

        Assert.Contains("8192", refused.Message, StringComparison.Ordinal);
        Assert.False(refused.MayHaveHappened);
    }

    [Fact]
    public async Task Odd_grain_keys_and_state_names_are_all_different_states()
    {
        var type = GrainType.Create($"odd{Guid.NewGuid():N}");
        var names = OddKeys
            .Select(key => GrainId.Create(type, IdSpan.Create(key)))
            .SelectMany(_ => OddStateNames, (id, state) => (Id: id, State: state))
            .ToList();
        await Task.WhenAll(names.Select((name, number) => Raw(0).WriteStateAsync(
            name.State, name.Id, new GrainState<Blob>(new() { Bytes = BitConverter.GetBytes(number) }))));

        await Task.WhenAll(names.Select(async (name, number) =>
        {
            var read = await ReadAsync(Raw(1), name.State, name.Id);
            Assert.Equal(BitConverter.GetBytes(number), read.State!.Bytes);
        }));
    }

    [Fact]
    public async Task Grain_type_and_key_do_not_run_into_one_another()
    {
        var salt = Guid.NewGuid().ToString("N");
        var one = GrainId.Create($"t{salt}a", "b");
        var two = GrainId.Create($"t{salt}", "ab");
        await Raw(0).WriteStateAsync("x", one, new GrainState<Blob>(new() { Bytes = [1] }));

        Assert.False((await ReadAsync(Raw(0), "x", two)).RecordExists);
    }

    [Fact]
    public async Task Grains_with_odd_keys_keep_their_state()
    {
        foreach (var key in OddKeys.Select(key => $"{key}{Guid.NewGuid():N}{key}"))
        {
            var counter = cluster.Cluster.Client.GetGrain<ICounterGrain>(key);
            await counter.AddAsync(Guid.NewGuid());
            Assert.Equal(1, (await counter.ReadAsync()).Value);
        }
    }

    [Fact]
    public async Task Providers_of_one_store_do_not_see_one_another() =>
        await AssertApartAsync(SharedCluster.Json, SharedCluster.Second);

    [Fact]
    public async Task Providers_of_two_stores_do_not_see_one_another()
    {
        await AssertApartAsync(SharedCluster.Json, SharedCluster.OtherStore);
        var bytes = await Task.WhenAll(LogBytesAsync("Default"), LogBytesAsync(SharedCluster.OtherStore));
        Assert.All(bytes, count => Assert.True(count > 0));
    }

    private static byte[] RandomBytes(int size)
    {
        var bytes = new byte[size];
        new Random(size).NextBytes(bytes);
        return bytes;
    }

    private static async Task<GrainState<Blob>> ReadAsync(IGrainStorage storage, string name, GrainId id)
    {
        var state = new GrainState<Blob>();
        await storage.ReadStateAsync(name, id, state);
        return state;
    }

    private async Task AssertApartAsync(string left, string right)
    {
        var id = GrainId.Create("blob", Guid.NewGuid().ToString("N"));
        var one = new GrainState<Blob>(new() { Bytes = [1] });
        var two = new GrainState<Blob>(new() { Bytes = [2] });
        await Storage(0, left).WriteStateAsync("blob", id, one);
        Assert.False((await ReadAsync(Storage(1, right), "blob", id)).RecordExists);

        await Storage(0, right).WriteStateAsync("blob", id, two);
        await Storage(0, left).ClearStateAsync("blob", id, one);

        Assert.False((await ReadAsync(Storage(1, left), "blob", id)).RecordExists);
        Assert.Equal([2], (await ReadAsync(Storage(1, right), "blob", id)).State!.Bytes);
    }

    private async Task<long> LogBytesAsync(string store) =>
        (await cluster.Cluster.StatusAsync(0, store)).Max(replica => replica.LogBytes);

    private IGrainStorage Raw(int silo) => Storage(silo, SharedCluster.Raw);

    private IGrainStorage Storage(int silo, string provider) => cluster.Cluster.Storage(silo, provider);
}
