using Orleans.Consensus.ClusterTests.Support;
using Orleans.Runtime;
using Orleans.Storage;

namespace Orleans.Consensus.ClusterTests.Conformance;

/// <summary>
/// What Orleans expects of a grain storage, in the order of its own (unpublished) runner's cases. Changes go through
/// one silo and are read back through another.
/// </summary>
public abstract class StorageConformanceTests(SharedCluster cluster, string provider)
{
    private const string StateName = "order";

    private IGrainStorage Here => cluster.Cluster.Storage(0, provider);

    private IGrainStorage Elsewhere => cluster.Cluster.Storage(1, provider);

    [Fact]
    public async Task A_key_in_cyrillic_is_written_and_read() =>
        await WriteAndReadAsync(GrainId.Create("order", $"заказ-{Guid.NewGuid()}"));

    [Fact]
    public async Task A_string_key_is_written_and_read() => await WriteAndReadAsync(NewId());

    [Fact]
    public async Task Integer_and_guid_keys_are_written_and_read()
    {
        var type = GrainType.Create("order");
        var key = Random.Shared.NextInt64();
        await WriteAndReadAsync(GrainId.Create(type, GrainIdKeyExtensions.CreateIntegerKey(key)));
        await WriteAndReadAsync(GrainId.Create(type, GrainIdKeyExtensions.CreateIntegerKey(-key, "extension")));
        await WriteAndReadAsync(GrainId.Create(type, GrainIdKeyExtensions.CreateGuidKey(Guid.NewGuid())));
    }

    [Fact]
    public async Task A_second_insert_fails()
    {
        var id = NewId();
        var first = await WrittenAsync(id, Order.Some(1));
        var second = new GrainState<Order>(Order.Some(2));

        var conflict = await Assert.ThrowsAsync<InconsistentStateException>(() => WriteAsync(id, second));

        Assert.Equal(first.ETag, conflict.StoredEtag);
        Assert.Null(conflict.CurrentEtag);
        AssertState(second, Order.Some(2), null, exists: false);
        AssertSame(first, await ReadAsync(id));
    }

    [Fact]
    public async Task A_write_with_an_old_etag_fails_and_the_latest_state_stays()
    {
        var id = NewId();
        var state = await WrittenAsync(id, Order.Some(1));
        var old = new GrainState<Order>(Order.Some(3), state.ETag) { RecordExists = true };
        var oldTag = state.ETag;
        state.State = Order.Some(2);
        await WriteAsync(id, state);

        var conflict = await Assert.ThrowsAsync<InconsistentStateException>(() => WriteAsync(id, old));

        Assert.Equal(state.ETag, conflict.StoredEtag);
        Assert.Equal(oldTag, conflict.CurrentEtag);
        AssertState(old, Order.Some(3), oldTag, exists: true);
        AssertSame(state, await ReadAsync(id));
    }

    [Fact]
    public async Task A_write_with_an_etag_of_a_state_that_is_not_there_fails()
    {
        var written = await WrittenAsync(NewId(), Order.Some(1));
        var foreign = new GrainState<Order>(Order.Some(2), "not one of ours");
        var absent = new GrainState<Order>(Order.Some(2), written.ETag);

        await Assert.ThrowsAsync<InconsistentStateException>(() => WriteAsync(NewId(), foreign));
        await Assert.ThrowsAsync<InconsistentStateException>(() => WriteAsync(NewId(), absent));
    }

    [Fact]
    public async Task Many_states_are_written_and_read_side_by_side() =>
        await Task.WhenAll(Enumerable.Range(0, 100).Select(async number =>
        {
            var id = NewId();
            var state = new GrainState<Order>();
            for (var round = 0; round < 10; round++)
            {
                var before = state.ETag;
                state.State = Order.Some((number * 10) + round);
                await WriteAsync(id, state);
                Assert.NotEqual(before, state.ETag);
                AssertSame(state, await ReadAsync(id));
            }
        }));

    [Fact]
    public async Task Reading_what_is_not_there_gives_a_new_state_and_nothing_of_the_old_one()
    {
        var dirty = new GrainState<Order>(Order.Some(7), "old etag") { RecordExists = true };

        await Here.ReadStateAsync(StateName, NewId(), dirty);

        AssertState(dirty, new Order(), null, exists: false);
    }

    [Fact]
    public async Task Reading_what_is_not_there_gives_a_state_that_is_not_null()
    {
        var state = new GrainState<Order> { State = null! };

        await Here.ReadStateAsync(StateName, NewId(), state);

        Assert.NotNull(state.State);
        Assert.False(state.RecordExists);
    }

    [Fact]
    public async Task A_cleared_state_is_written_again()
    {
        var id = NewId();
        var state = await WrittenAsync(id, Order.Some(1));
        var written = state.ETag;
        await ClearAsync(id, state);
        Assert.NotEqual(written, state.ETag);
        Assert.False(state.RecordExists);

        state.State = Order.Some(2);
        await WriteAsync(id, state);

        Assert.NotEqual(written, state.ETag);
        AssertState(await ReadAsync(id), Order.Some(2), state.ETag, exists: true);
    }

    [Fact]
    public async Task A_default_state_written_after_a_clear_exists()
    {
        var id = NewId();
        var state = await WrittenAsync(id, Order.Some(1));
        await ClearAsync(id, state);

        state.State = new Order();
        await WriteAsync(id, state);

        AssertState(await ReadAsync(id), new Order(), state.ETag, exists: true);
    }

    [Fact]
    public async Task Every_write_has_another_etag_also_of_equal_values()
    {
        var id = NewId();
        var state = new GrainState<Order>(Order.Some());
        var tags = new HashSet<string>();
        for (var write = 0; write < 3; write++)
        {
            await WriteAsync(id, state);
            Assert.True(tags.Add(Assert.IsType<string>(state.ETag)));
        }

        AssertSame(state, await ReadAsync(id));
    }

    [Fact]
    public async Task Clearing_what_was_never_written_does_nothing()
    {
        var state = new GrainState<Order>(Order.Some(7)) { RecordExists = true };

        await ClearAsync(NewId(), state);

        AssertState(state, new Order(), null, exists: false);
    }

    [Fact]
    public async Task Clearing_leaves_a_state_that_is_not_null()
    {
        var id = NewId();
        var state = await WrittenAsync(id, Order.Some(1));

        await ClearAsync(id, state);

        Assert.Equal(new Order(), state.State);
    }

    [Fact]
    public async Task Clearing_changes_the_etag()
    {
        var id = NewId();
        var state = await WrittenAsync(id, Order.Some(1));
        var written = state.ETag;

        await ClearAsync(id, state);

        Assert.NotEqual(written, state.ETag);
        var late = new GrainState<Order>(Order.Some(2), written);
        await Assert.ThrowsAsync<InconsistentStateException>(() => WriteAsync(id, late));
    }

    [Fact]
    public async Task A_cleared_state_is_read_as_absent()
    {
        var id = NewId();
        var state = await WrittenAsync(id, Order.Some(1));

        await ClearAsync(id, state);

        AssertState(await ReadAsync(id), new Order(), null, exists: false);
    }

    [Fact]
    public async Task Clearing_twice_does_no_harm()
    {
        var id = NewId();
        var state = await WrittenAsync(id, Order.Some(1));

        await ClearAsync(id, state);
        await ClearAsync(id, state);

        AssertState(await ReadAsync(id), new Order(), null, exists: false);
    }

    [Fact]
    public async Task State_names_are_records_of_their_own()
    {
        var id = NewId();
        var one = new GrainState<Order>(Order.Some(1));
        var two = new GrainState<Order>(Order.Some(2));
        await Here.WriteStateAsync("one", id, one);
        await Here.WriteStateAsync("two", id, two);
        await Here.ClearStateAsync("one", id, one);

        var read = new GrainState<Order>();
        await Elsewhere.ReadStateAsync("two", id, read);
        AssertSame(two, read);
        await Elsewhere.ReadStateAsync("one", id, read);
        Assert.False(read.RecordExists);
    }

    [Fact]
    public async Task A_clear_with_an_old_etag_fails_and_the_latest_state_stays()
    {
        var id = NewId();
        var state = await WrittenAsync(id, Order.Some(1));
        var old = new GrainState<Order>(Order.Some(3), state.ETag) { RecordExists = true };
        var oldTag = state.ETag;
        state.State = Order.Some(2);
        await WriteAsync(id, state);

        await Assert.ThrowsAsync<InconsistentStateException>(() => ClearAsync(id, old));

        AssertState(old, Order.Some(3), oldTag, exists: true);
        AssertSame(state, await ReadAsync(id));
        var unread = new GrainState<Order>(Order.Some(4));
        await Assert.ThrowsAsync<InconsistentStateException>(() => ClearAsync(id, unread));
        AssertSame(state, await ReadAsync(id));
    }

    [Fact]
    public async Task Writing_reading_and_clearing_go_round_and_round()
    {
        var id = NewId();
        var state = new GrainState<Order>();
        for (var round = 0; round < 3; round++)
        {
            state.State = Order.Some(round);
            await WriteAsync(id, state);
            var read = await ReadAsync(id);
            AssertSame(state, read);
            await ClearAsync(id, read);
            state = await ReadAsync(id);
            AssertState(state, new Order(), null, exists: false);
        }
    }

    [Fact]
    public async Task A_cancelled_token_ends_a_call_before_it_does_anything()
    {
        var id = NewId();
        var state = new GrainState<Order>(Order.Some(1));
        var token = new CancellationToken(canceled: true);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Here.WriteStateAsync(StateName, id, state, token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Here.ReadStateAsync(StateName, id, state, token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Here.ClearStateAsync(StateName, id, state, token));

        AssertState(state, Order.Some(1), null, exists: false);
        Assert.False((await ReadAsync(id)).RecordExists);
    }

    private static GrainId NewId() => GrainId.Create("order", Guid.NewGuid().ToString("N"));

    private static void AssertSame(GrainState<Order> expected, GrainState<Order> actual) =>
        AssertState(actual, expected.State!, expected.ETag, expected.RecordExists);

    private static void AssertState(GrainState<Order> actual, Order value, string? etag, bool exists)
    {
        Assert.Equal(value, actual.State);
        Assert.Equal(etag, actual.ETag);
        Assert.Equal(exists, actual.RecordExists);
    }

    private async Task WriteAndReadAsync(GrainId id)
    {
        var state = await WrittenAsync(id, Order.Some(1));

        Assert.NotNull(state.ETag);
        Assert.True(state.RecordExists);
        AssertSame(state, await ReadAsync(id));
    }

    private async Task<GrainState<Order>> WrittenAsync(GrainId id, Order order)
    {
        var state = new GrainState<Order>(order);
        await WriteAsync(id, state);
        return state;
    }

    private Task WriteAsync(GrainId id, GrainState<Order> state) => Here.WriteStateAsync(StateName, id, state);

    private Task ClearAsync(GrainId id, GrainState<Order> state) => Here.ClearStateAsync(StateName, id, state);

    private async Task<GrainState<Order>> ReadAsync(GrainId id)
    {
        var state = new GrainState<Order>(Order.Some(999), "dirty") { RecordExists = true };
        await Elsewhere.ReadStateAsync(StateName, id, state);
        return state;
    }
}

/// <summary>With the serializer that a silo has unless told otherwise.</summary>
[Collection(nameof(SharedCluster))]
public sealed class JsonConformanceTests(SharedCluster cluster)
    : StorageConformanceTests(cluster, SharedCluster.Json);

/// <summary>With Orleans' own serializer.</summary>
[Collection(nameof(SharedCluster))]
public sealed class BinaryConformanceTests(SharedCluster cluster)
    : StorageConformanceTests(cluster, SharedCluster.Binary);
