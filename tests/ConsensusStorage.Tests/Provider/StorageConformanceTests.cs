using Orleans.Runtime;
using Orleans.Storage;

namespace Orleans.Consensus.Tests.Provider;

/// <summary>The cases of Orleans' persistence test kit, in our own words.</summary>
public sealed class StorageConformanceTests
{
    private const string Name = "balance";

    private readonly StorageFixture _fixture = new();
    private readonly ConsensusGrainStorage _storage;
    private readonly GrainId _grain = StorageFixture.Grain();

    public StorageConformanceTests() => _storage = _fixture.Create();

    [Fact]
    public async Task A_state_that_was_never_written_reads_as_a_fresh_one()
    {
        var state = new GrainState<Account>(new Account { Owner = "dirty" }, "old") { RecordExists = true };

        await _storage.ReadStateAsync(Name, _grain, state);

        AssertAbsent(state);
        Assert.Equal("nobody", state.State!.Owner);
    }

    [Theory]
    [InlineData("7")]
    [InlineData("Счёт №7")]
    [InlineData("a/b+c\0d")]
    public async Task What_was_written_is_read_back(string key)
    {
        var grain = StorageFixture.Grain(key);
        var written = Account.Of("Ирина", 3);
        await _storage.WriteStateAsync(Name, grain, written);

        var read = await ReadAsync(grain);

        Assert.Equal("Ирина", read.State!.Owner);
        Assert.Equal(written.ETag, read.ETag);
        Assert.True(read.RecordExists);
        Assert.True(written.RecordExists);
    }

    [Fact]
    public async Task Integer_and_guid_keys_with_extensions_are_different_grains()
    {
        var id = Guid.NewGuid();
        GrainId[] grains =
        [
            GrainId.Create(GrainType.Create("account"), GrainIdKeyExtensions.CreateIntegerKey(7)),
            GrainId.Create(GrainType.Create("account"), GrainIdKeyExtensions.CreateIntegerKey(-7)),
            GrainId.Create(GrainType.Create("account"), GrainIdKeyExtensions.CreateIntegerKey(7, "x")),
            GrainId.Create(GrainType.Create("account"), GrainIdKeyExtensions.CreateGuidKey(id)),
            GrainId.Create(GrainType.Create("account"), GrainIdKeyExtensions.CreateGuidKey(id, "x")),
            GrainId.Create("accoun", "t7"),
        ];
        for (var i = 0; i < grains.Length; i++)
        {
            await _storage.WriteStateAsync(Name, grains[i], Account.Of("owner", i));
        }

        for (var i = 0; i < grains.Length; i++)
        {
            Assert.Equal(i, (await ReadAsync(grains[i])).State!.Balance);
        }
    }

    [Fact]
    public async Task A_second_insert_is_refused()
    {
        await _storage.WriteStateAsync(Name, _grain, Account.Of("first"));
        var second = Account.Of("second");

        await Assert.ThrowsAsync<InconsistentStateException>(() => _storage.WriteStateAsync(Name, _grain, second));

        Assert.Null(second.ETag);
        Assert.False(second.RecordExists);
        Assert.Equal("first", (await ReadAsync(_grain)).State!.Owner);
    }

    [Fact]
    public async Task A_write_with_an_old_ETag_is_refused_and_tells_both_ETags()
    {
        var state = Account.Of("first");
        await _storage.WriteStateAsync(Name, _grain, state);
        var stale = new GrainState<Account>(new Account { Owner = "stale" }, state.ETag) { RecordExists = true };
        await _storage.WriteStateAsync(Name, _grain, state);
        var old = stale.ETag;

        var exception = await Assert.ThrowsAsync<InconsistentStateException>(
            () => _storage.WriteStateAsync(Name, _grain, stale));

        Assert.Equal(state.ETag, exception.StoredEtag);
        Assert.Equal(old, exception.CurrentEtag);
        Assert.Equal(old, stale.ETag);
        Assert.Equal("first", (await ReadAsync(_grain)).State!.Owner);
    }

    [Fact]
    public async Task A_write_with_an_ETag_where_there_is_no_state_is_refused()
    {
        var state = Account.Of("first");
        await _storage.WriteStateAsync(Name, _grain, state);

        var exception = await Assert.ThrowsAsync<InconsistentStateException>(
            () => _storage.WriteStateAsync(Name, StorageFixture.Grain("other"), state));

        Assert.Null(exception.StoredEtag);
        Assert.Equal(state.ETag, exception.CurrentEtag);
    }

    [Fact]
    public async Task Every_write_makes_a_new_ETag_also_of_equal_values()
    {
        var state = Account.Of("same");
        var etags = new HashSet<string>();
        for (var i = 0; i < 3; i++)
        {
            await _storage.WriteStateAsync(Name, _grain, state);
            Assert.True(etags.Add(state.ETag!));
        }
    }

    [Fact]
    public async Task Many_grains_are_written_and_read_at_once()
    {
        await Task.WhenAll(Enumerable.Range(0, 100).Select(async number =>
        {
            var grain = StorageFixture.Grain($"g{number}");
            var state = Account.Of("owner");
            for (var i = 1; i <= 10; i++)
            {
                var before = state.ETag;
                state.State!.Balance = (number * 100) + i;
                await _storage.WriteStateAsync(Name, grain, state);
                Assert.NotEqual(before, state.ETag);
                var read = await ReadAsync(grain);
                Assert.Equal(state.ETag, read.ETag);
                Assert.Equal((number * 100) + i, read.State!.Balance);
            }
        }));
    }

    [Fact]
    public async Task State_names_are_records_of_their_own()
    {
        await _storage.WriteStateAsync("one", _grain, Account.Of("first"));
        await _storage.WriteStateAsync("two", _grain, Account.Of("second"));
        var one = new GrainState<Account>();
        await _storage.ReadStateAsync("one", _grain, one);
        await _storage.ClearStateAsync("one", _grain, one);

        var two = new GrainState<Account>();
        await _storage.ReadStateAsync("two", _grain, two);

        Assert.Equal("second", two.State!.Owner);
    }

    [Fact]
    public async Task Providers_and_services_do_not_see_one_anothers_states()
    {
        await _storage.WriteStateAsync(Name, _grain, Account.Of("mine"));

        foreach (var other in new[] { _fixture.Create(provider: "other"), _fixture.Create(service: "other") })
        {
            var state = new GrainState<Account>();
            await other.ReadStateAsync(Name, _grain, state);
            AssertAbsent(state);
        }
    }

    [Fact]
    public async Task Clearing_what_was_never_written_is_fine()
    {
        var state = new GrainState<Account>(new Account { Owner = "dirty" }) { RecordExists = true };

        await _storage.ClearStateAsync(Name, _grain, state);

        AssertAbsent(state);
        Assert.Equal("nobody", state.State!.Owner);
        Assert.Empty(_fixture.Engine.Registers);
    }

    [Fact]
    public async Task A_cleared_state_is_fresh_and_reads_as_absent()
    {
        var state = Account.Of("first");
        await _storage.WriteStateAsync(Name, _grain, state);
        var written = state.ETag;

        await _storage.ClearStateAsync(Name, _grain, state);

        AssertAbsent(state);
        Assert.NotEqual(written, state.ETag);
        Assert.Equal("nobody", state.State!.Owner);
        AssertAbsent(await ReadAsync(_grain));
    }

    [Fact]
    public async Task Clearing_twice_is_fine()
    {
        var state = Account.Of("first");
        await _storage.WriteStateAsync(Name, _grain, state);
        await _storage.ClearStateAsync(Name, _grain, state);
        await _storage.ClearStateAsync(Name, _grain, state);

        AssertAbsent(state);
    }

    [Fact]
    public async Task A_state_is_written_again_after_a_clear()
    {
        var state = Account.Of("first");
        await _storage.WriteStateAsync(Name, _grain, state);
        var written = state.ETag;
        await _storage.ClearStateAsync(Name, _grain, state);

        state.State = new Account { Owner = "second" };
        await _storage.WriteStateAsync(Name, _grain, state);
        var read = await ReadAsync(_grain);

        Assert.NotEqual(written, state.ETag);
        Assert.Equal("second", read.State!.Owner);
        Assert.True(read.RecordExists);
    }

    [Fact]
    public async Task Write_read_clear_read_goes_round_twice()
    {
        var state = new GrainState<Account>();
        for (var i = 1; i <= 2; i++)
        {
            await _storage.ReadStateAsync(Name, _grain, state);
            AssertAbsent(state);
            state.State = new Account { Balance = i };
            await _storage.WriteStateAsync(Name, _grain, state);
            await _storage.ReadStateAsync(Name, _grain, state);
            Assert.Equal(i, state.State!.Balance);
            await _storage.ClearStateAsync(Name, _grain, state);
        }
    }

    [Fact]
    public async Task A_clear_with_an_old_ETag_is_refused()
    {
        var state = Account.Of("first");
        await _storage.WriteStateAsync(Name, _grain, state);
        var stale = new GrainState<Account>(new Account { Owner = "stale" }, state.ETag) { RecordExists = true };
        await _storage.WriteStateAsync(Name, _grain, state);

        await Assert.ThrowsAsync<InconsistentStateException>(() => _storage.ClearStateAsync(Name, _grain, stale));

        Assert.Equal("stale", stale.State!.Owner);
        Assert.True(stale.RecordExists);
        Assert.NotNull(stale.ETag);
        Assert.Equal(state.ETag, (await ReadAsync(_grain)).ETag);
    }

    [Fact]
    public async Task A_clear_without_ETag_of_an_existing_state_is_refused()
    {
        await _storage.WriteStateAsync(Name, _grain, Account.Of("first"));

        await Assert.ThrowsAsync<InconsistentStateException>(
            () => _storage.ClearStateAsync(Name, _grain, new GrainState<Account>()));
    }

    private static void AssertAbsent(GrainState<Account> state)
    {
        Assert.Null(state.ETag);
        Assert.False(state.RecordExists);
        Assert.NotNull(state.State);
    }

    private async Task<GrainState<Account>> ReadAsync(GrainId grain)
    {
        var state = new GrainState<Account>();
        await _storage.ReadStateAsync(Name, grain, state);
        return state;
    }
}
