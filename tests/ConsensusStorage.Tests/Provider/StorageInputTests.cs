using Microsoft.Extensions.Logging;
using Orleans.Runtime;
using Orleans.Storage;

namespace Orleans.Consensus.Tests.Provider;

public sealed class StorageInputTests
{
    private const string Name = "balance";

    private readonly StorageFixture _fixture = new();
    private readonly ConsensusGrainStorage _storage;
    private readonly GrainId _grain = StorageFixture.Grain();

    public StorageInputTests() => _storage = _fixture.Create();

    private RegisterMapEngine Engine => _fixture.Engine;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(StorageFixture.MaxStateBytes)]
    public async Task A_state_up_to_the_limit_is_taken(int bytes)
    {
        _fixture.Serializer.OnSerialize = _ => new BinaryData(new byte[bytes]);
        _fixture.Serializer.OnDeserialize = data => new Account { Balance = data.ToMemory().Length };
        await _storage.WriteStateAsync(Name, _grain, Account.Of("owner"));
        var state = new GrainState<Account>();

        await _storage.ReadStateAsync(Name, _grain, state);

        Assert.Equal(bytes, state.State!.Balance);
        Assert.True(state.RecordExists);
    }

    [Fact]
    public async Task A_state_over_the_limit_is_refused_before_anything_is_sent()
    {
        _fixture.Serializer.OnSerialize = _ => new BinaryData(new byte[StorageFixture.MaxStateBytes + 1]);
        var state = Account.Of("owner");

        var exception = await Assert.ThrowsAsync<ConsensusStorageException>(
            () => _storage.WriteStateAsync(Name, _grain, state));

        Assert.Contains("account/7", exception.Message, StringComparison.Ordinal);
        Assert.Contains("1001 bytes", exception.Message, StringComparison.Ordinal);
        Assert.Contains("limit is 1000", exception.Message, StringComparison.Ordinal);
        Assert.Contains("MaxStateBytes", exception.Message, StringComparison.Ordinal);
        Assert.False(exception.MayHaveHappened);
        Assert.Empty(Engine.Changes);
        Assert.Null(state.ETag);
    }

    [Fact]
    public async Task A_payload_that_is_nothing_to_the_serializer_reads_as_a_fresh_state()
    {
        _fixture.Serializer.OnSerialize = _ => new BinaryData(Array.Empty<byte>());
        _fixture.Serializer.OnDeserialize = _ => null;
        var state = Account.Of("owner");
        await _storage.WriteStateAsync(Name, _grain, state);

        await _storage.ReadStateAsync(Name, _grain, state);

        Assert.Equal("nobody", state.State!.Owner);
        Assert.False(state.RecordExists);
        Assert.NotNull(state.ETag);
        await _storage.WriteStateAsync(Name, _grain, state);
    }

    [Fact]
    public async Task A_state_that_is_refused_for_good_is_told_to_the_operator_with_what_to_do()
    {
        _fixture.Serializer.OnSerialize = _ => new BinaryData(new byte[StorageFixture.MaxStateBytes + 1]);

        await Assert.ThrowsAsync<ConsensusStorageException>(
            () => _storage.WriteStateAsync(Name, _grain, Account.Of("owner")));

        var (level, text) = Assert.Single(_fixture.Logged);
        Assert.Equal(LogLevel.Warning, level);
        Assert.Contains("account/7", text, StringComparison.Ordinal);
        Assert.Contains("MaxStateBytes", text, StringComparison.Ordinal);
        Assert.Contains("raise the limit", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_state_that_cannot_be_serialized_is_refused_with_the_cause()
    {
        var cause = new NotSupportedException("no such thing");
        _fixture.Serializer.OnSerialize = _ => throw cause;

        var exception = await Assert.ThrowsAsync<ConsensusStorageException>(
            () => _storage.WriteStateAsync(Name, _grain, Account.Of("owner")));

        Assert.Same(cause, exception.InnerException);
        Assert.Contains("no such thing", exception.Message, StringComparison.Ordinal);
        Assert.Empty(Engine.Changes);
    }

    [Fact]
    public async Task A_state_that_cannot_be_deserialized_leaves_the_state_object_alone()
    {
        var state = Account.Of("owner", 5);
        await _storage.WriteStateAsync(Name, _grain, state);
        await _storage.WriteStateAsync(Name, _grain, state);
        var before = (state.ETag, state.State, state.RecordExists);
        var cause = new FormatException("not JSON");
        _fixture.Serializer.OnDeserialize = _ => throw cause;

        var exception = await Assert.ThrowsAsync<ConsensusStorageException>(
            () => _storage.ReadStateAsync(Name, _grain, state));

        Assert.Same(cause, exception.InnerException);
        Assert.Contains(nameof(FakeSerializer), exception.Message, StringComparison.Ordinal);
        Assert.Contains("not JSON", exception.Message, StringComparison.Ordinal);
        Assert.Equal(before, (state.ETag, state.State, state.RecordExists));
    }

    [Theory]
    [InlineData("")]
    [InlineData("0x8D4")]
    [InlineData("00000000000000000000000000000001-01")]
    [InlineData("0000000000000000000000000000000A-1")]
    public async Task An_ETag_that_is_not_ours_conflicts_and_tells_what_the_store_holds(string etag)
    {
        var stored = Account.Of("owner");
        await _storage.WriteStateAsync(Name, _grain, stored);
        var foreign = new GrainState<Account>(new Account { Owner = "foreign" }, etag);

        var write = await Assert.ThrowsAsync<InconsistentStateException>(
            () => _storage.WriteStateAsync(Name, _grain, foreign));
        var clear = await Assert.ThrowsAsync<InconsistentStateException>(
            () => _storage.ClearStateAsync(Name, _grain, foreign));

        Assert.Equal(stored.ETag, write.StoredEtag);
        Assert.Equal(etag, write.CurrentEtag);
        Assert.Equal(stored.ETag, clear.StoredEtag);
        Assert.Equal(etag, foreign.ETag);
        Assert.Equal("foreign", foreign.State!.Owner);
    }

    [Fact]
    public async Task An_ETag_that_is_not_ours_conflicts_also_where_there_is_no_state()
    {
        var exception = await Assert.ThrowsAsync<InconsistentStateException>(
            () => _storage.WriteStateAsync(Name, _grain, new GrainState<Account>(new Account(), "foreign")));

        Assert.Null(exception.StoredEtag);
        Assert.Empty(Engine.Registers);
    }

    [Fact]
    public async Task An_ETag_that_is_not_ours_conflicts_also_when_the_store_cannot_be_read()
    {
        Engine.Fates.Enqueue(Fate.NotApplied);

        var exception = await Assert.ThrowsAsync<InconsistentStateException>(
            () => _storage.WriteStateAsync(Name, _grain, new GrainState<Account>(new Account(), "foreign")));

        Assert.Equal("foreign", exception.CurrentEtag);
        Assert.IsType<ConsensusUnavailableException>(exception.InnerException);
    }

    [Fact]
    public async Task A_name_that_is_too_long_is_refused()
    {
        var exception = await Assert.ThrowsAsync<ConsensusStorageException>(
            () => _storage.WriteStateAsync(new string('n', 9000), _grain, Account.Of("owner")));

        Assert.Contains("8192", exception.Message, StringComparison.Ordinal);
        Assert.Empty(Engine.Changes);
    }

    [Fact]
    public async Task Bytes_that_are_no_text_make_a_grain_key_too()
    {
        var one = GrainId.Create(GrainType.Create("account"), new IdSpan([0xFF, 0xFE, 0]));
        var two = GrainId.Create(GrainType.Create("account"), new IdSpan([0xFF, 0xFD, 0]));
        await _storage.WriteStateAsync(Name, one, Account.Of("one"));
        await _storage.WriteStateAsync(Name, two, Account.Of("two"));
        var state = new GrainState<Account>();

        await _storage.ReadStateAsync(Name, one, state);

        Assert.Equal("one", state.State!.Owner);
    }

    [Fact]
    public async Task Null_arguments_are_refused()
    {
        await Assert.ThrowsAsync<ArgumentNullException>(
            () => _storage.ReadStateAsync(null!, _grain, new GrainState<Account>()));
        await Assert.ThrowsAsync<ArgumentNullException>(
            () => _storage.ReadStateAsync<Account>(Name, _grain, null!));
    }
}
