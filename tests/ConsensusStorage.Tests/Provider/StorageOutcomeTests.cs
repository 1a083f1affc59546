using Orleans.Runtime;
using Orleans.Storage;

namespace Orleans.Consensus.Tests.Provider;

public sealed class StorageOutcomeTests
{
    private const string Name = "balance";

    private readonly StorageFixture _fixture = new();
    private readonly ConsensusGrainStorage _storage;
    private readonly GrainId _grain = StorageFixture.Grain();

    public StorageOutcomeTests() => _storage = _fixture.Create();

    private RegisterMapEngine Engine => _fixture.Engine;

    private Change LastChange => Engine.Changes[^1];

    [Theory]
    [InlineData("Reading")]
    [InlineData("Writing")]
    [InlineData("Clearing")]
    public async Task Without_a_quorum_the_error_says_what_failed_and_that_nothing_changed(string operation)
    {
        var state = await WrittenAsync();
        var before = (state.ETag, state.State);
        Engine.Fates.Enqueue(Fate.NotApplied);

        var exception = await Assert.ThrowsAsync<ConsensusUnavailableException>(() => DoAsync(operation, state));

        Assert.Contains(operation, exception.Message, StringComparison.Ordinal);
        Assert.Contains("account/7", exception.Message, StringComparison.Ordinal);
        Assert.Contains("'balance'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("r1 (no answer in time)", exception.Message, StringComparison.Ordinal);
        Assert.Contains("Retrying with the same state object is safe", exception.Message, StringComparison.Ordinal);
        Assert.False(exception.MayHaveHappened);
        Assert.Equal(["r0"], exception.Answered);
        Assert.Equal(["r1", "r2"], exception.NotAnswered);
        Assert.Equal(before, (state.ETag, state.State));
        Assert.True(state.RecordExists);
    }

    [Fact]
    public async Task An_overloaded_silo_names_the_option()
    {
        Engine.Fates.Enqueue(Fate.Overloaded);

        var exception = await Assert.ThrowsAsync<ConsensusUnavailableException>(
            () => _storage.WriteStateAsync(Name, _grain, Account.Of("owner")));

        Assert.Contains("MaxPendingChanges", exception.Message, StringComparison.Ordinal);
        Assert.Empty(exception.Answered);
        Assert.Empty(exception.NotAnswered);
    }

    [Theory]
    [InlineData("Writing", (int)Fate.InDoubtAndLost)]
    [InlineData("Writing", (int)Fate.InDoubtButDone)]
    [InlineData("Clearing", (int)Fate.InDoubtAndLost)]
    [InlineData("Clearing", (int)Fate.InDoubtButDone)]
    public async Task A_change_in_doubt_leaves_the_state_alone_and_its_retry_succeeds(string operation, int fate)
    {
        var state = await WrittenAsync();
        var before = (state.ETag, state.State);
        Engine.Fates.Enqueue((Fate)fate);

        var exception = await Assert.ThrowsAsync<ConsensusOutcomeUnknownException>(() => DoAsync(operation, state));

        Assert.True(exception.MayHaveHappened);
        Assert.Equal(["r0"], exception.Answered);
        Assert.Equal(["r1", "r2"], exception.NotAnswered);
        Assert.Contains("may or may not have happened", exception.Message, StringComparison.Ordinal);
        Assert.StartsWith("in-doubt-", state.ETag, StringComparison.Ordinal);
        Assert.Equal(before.State, state.State);
        Assert.True(state.RecordExists);

        await DoAsync(operation, state);

        Assert.Single(LastChange.InDoubt.Versions);
        Assert.Equal(operation == "Writing", state.RecordExists);
        await DoAsync(operation, state);
        Assert.True(LastChange.InDoubt.IsNone);
    }

    [Fact]
    public async Task A_first_write_in_doubt_is_retried_on_the_absence_it_saw()
    {
        var state = Account.Of("owner");
        Engine.Fates.Enqueue(Fate.InDoubtButDone);
        await Assert.ThrowsAsync<ConsensusOutcomeUnknownException>(() => DoAsync("Writing", state));
        Assert.False(state.RecordExists);

        await DoAsync("Writing", state);

        Assert.Equal(new Absence(null), LastChange.InDoubt.Binding);
        Assert.NotNull(state.ETag);
    }

    [Fact]
    public async Task Doubts_of_several_tries_add_up_and_a_read_settles_them()
    {
        var state = await WrittenAsync();
        Engine.Fates.Enqueue(Fate.InDoubtAndLost);
        Engine.Fates.Enqueue(Fate.InDoubtButDone);
        await Assert.ThrowsAsync<ConsensusOutcomeUnknownException>(() => DoAsync("Writing", state));
        await Assert.ThrowsAsync<ConsensusOutcomeUnknownException>(() => DoAsync("Writing", state));

        await DoAsync("Reading", state);
        Assert.Equal(2, LastChange.InDoubt.Versions.Length);
        Assert.Equal(Engine.Registers.Values.Single().Version.ToString(), state.ETag);

        await DoAsync("Writing", state);
        Assert.True(LastChange.InDoubt.IsNone);
    }

    [Fact]
    public async Task A_change_that_was_not_sent_keeps_the_doubt_of_an_earlier_one()
    {
        var state = await WrittenAsync();
        Engine.Fates.Enqueue(Fate.InDoubtButDone);
        Engine.Fates.Enqueue(Fate.NotApplied);
        await Assert.ThrowsAsync<ConsensusOutcomeUnknownException>(() => DoAsync("Writing", state));

        var exception = await Assert.ThrowsAsync<ConsensusUnavailableException>(() => DoAsync("Writing", state));
        Assert.True(exception.MayHaveHappened);
        Assert.Contains("still in doubt", exception.Message, StringComparison.Ordinal);

        await DoAsync("Writing", state);
        Assert.Single(LastChange.InDoubt.Versions);
    }

    [Fact]
    public async Task A_read_with_unknown_outcome_adds_no_doubt_and_keeps_what_there_is()
    {
        var state = await WrittenAsync();
        Engine.Fates.Enqueue(Fate.InDoubtAndLost);
        var exception = await Assert.ThrowsAsync<ConsensusOutcomeUnknownException>(() => DoAsync("Reading", state));
        Assert.False(exception.MayHaveHappened);

        Engine.Fates.Enqueue(Fate.InDoubtButDone);
        Engine.Fates.Enqueue(Fate.InDoubtAndLost);
        await Assert.ThrowsAsync<ConsensusOutcomeUnknownException>(() => DoAsync("Writing", state));
        exception = await Assert.ThrowsAsync<ConsensusOutcomeUnknownException>(() => DoAsync("Reading", state));
        Assert.True(exception.MayHaveHappened);

        await DoAsync("Writing", state);
        Assert.Single(LastChange.InDoubt.Versions);
    }

    [Fact]
    public async Task A_conflict_after_a_doubt_says_that_the_write_may_have_happened()
    {
        var state = await WrittenAsync();
        var written = state.ETag;
        Engine.Fates.Enqueue(Fate.InDoubtAndLost);
        await Assert.ThrowsAsync<ConsensusOutcomeUnknownException>(() => DoAsync("Writing", state));
        var other = new GrainState<Account>();
        await DoAsync("Reading", other);
        await DoAsync("Writing", other);

        var exception = await Assert.ThrowsAsync<ConsensusInDoubtStateException>(() => DoAsync("Writing", state));

        Assert.True(exception.MayHaveHappened);
        Assert.Equal(other.ETag, exception.StoredEtag);
        Assert.Equal(written, exception.CurrentEtag);

        // Also when it is repeated without a look at the state.
        var again = await Assert.ThrowsAsync<ConsensusInDoubtStateException>(() => DoAsync("Writing", state));
        Assert.Equal(other.ETag, again.StoredEtag);
    }

    [Fact]
    public async Task A_lost_track_asks_to_read_again_and_a_read_ends_the_doubt()
    {
        var state = Account.Of("owner");
        Engine.Fates.Enqueue(Fate.InDoubtButDone);
        await Assert.ThrowsAsync<ConsensusOutcomeUnknownException>(() => DoAsync("Writing", state));
        var other = new GrainState<Account>();
        await DoAsync("Reading", other);
        await DoAsync("Clearing", other);

        for (var i = 0; i < 2; i++)
        {
            var lost = await Assert.ThrowsAsync<ConsensusInDoubtStateException>(() => DoAsync("Writing", state));
            Assert.True(lost.MayHaveHappened);
            Assert.Contains("Read the state again", lost.Message, StringComparison.Ordinal);
        }

        await DoAsync("Reading", state);
        await DoAsync("Writing", state);
        Assert.True(state.RecordExists);
    }

    [Fact]
    public async Task The_doubt_of_one_grain_is_not_taken_to_another()
    {
        var state = await WrittenAsync();
        Engine.Fates.Enqueue(Fate.InDoubtAndLost);
        await Assert.ThrowsAsync<ConsensusOutcomeUnknownException>(() => DoAsync("Writing", state));

        await Assert.ThrowsAsync<InconsistentStateException>(
            () => _storage.WriteStateAsync(Name, StorageFixture.Grain("other"), state));

        Assert.True(LastChange.InDoubt.IsNone);
    }

    [Theory]
    [InlineData("Writing", (int)Fate.InDoubtAndLost)]
    [InlineData("Writing", (int)Fate.InDoubtButDone)]
    [InlineData("Clearing", (int)Fate.InDoubtButDone)]
    [Trait("Rule", "S7")]
    public async Task A_doubt_goes_along_when_a_grain_migrates(string operation, int fate)
    {
        var state = await WrittenAsync();
        Engine.Fates.Enqueue((Fate)fate);
        await Assert.ThrowsAsync<ConsensusOutcomeUnknownException>(() => DoAsync(operation, state));

        // Orleans takes these three along, and nothing else.
        var moved = Migrated(state);
        await DoAsync(operation, moved);

        Assert.Single(LastChange.InDoubt.Versions);
        Assert.Equal(operation == "Writing", moved.RecordExists);
    }

    [Fact]
    [Trait("Rule", "S8b")]
    public async Task A_first_write_in_doubt_that_others_cleared_is_not_repeated_after_a_migration()
    {
        var state = Account.Of("owner");
        Engine.Fates.Enqueue(Fate.InDoubtButDone);
        await Assert.ThrowsAsync<ConsensusOutcomeUnknownException>(() => DoAsync("Writing", state));
        var other = new GrainState<Account>();
        await DoAsync("Reading", other);
        await DoAsync("Clearing", other);

        var moved = Migrated(state);

        await Assert.ThrowsAsync<ConsensusInDoubtStateException>(() => DoAsync("Writing", moved));
        Assert.True(Engine.Registers.Values.Single().IsTombstone);
    }

    [Theory]
    [InlineData((int)Fate.NotApplied)]
    [InlineData((int)Fate.InDoubtButDone)]
    public async Task A_cancelled_change_throws_its_token_and_keeps_its_doubt(int fate)
    {
        var state = await WrittenAsync();
        using var cancellation = new CancellationTokenSource();
        Engine.BeforeChange = cancellation.Cancel;
        Engine.Fates.Enqueue((Fate)fate);

        var exception = await Assert.ThrowsAsync<OperationCanceledException>(
            () => _storage.WriteStateAsync(Name, _grain, state, cancellation.Token));

        Assert.Equal(cancellation.Token, exception.CancellationToken);
        var cause = Assert.IsAssignableFrom<ConsensusStorageException>(exception.InnerException);
        Assert.Equal((Fate)fate == Fate.InDoubtButDone, cause.MayHaveHappened);
        await DoAsync("Writing", state);
        Assert.Equal((Fate)fate == Fate.InDoubtButDone ? 1 : 0, LastChange.InDoubt.Versions.Length);
    }

    [Fact]
    public async Task A_change_that_was_done_in_spite_of_its_token_is_a_success()
    {
        using var cancellation = new CancellationTokenSource();
        Engine.BeforeChange = cancellation.Cancel;
        var state = Account.Of("owner");

        await _storage.WriteStateAsync(Name, _grain, state, cancellation.Token);

        Assert.NotNull(state.ETag);
    }

    [Fact]
    public async Task A_token_that_is_cancelled_before_sends_nothing()
    {
        var token = new CancellationToken(canceled: true);
        var state = Account.Of("owner");

        await Assert.ThrowsAsync<OperationCanceledException>(
            () => _storage.ReadStateAsync(Name, _grain, state, token));
        await Assert.ThrowsAsync<OperationCanceledException>(
            () => _storage.WriteStateAsync(Name, _grain, state, token));
        await Assert.ThrowsAsync<OperationCanceledException>(
            () => _storage.ClearStateAsync(Name, _grain, state, token));

        Assert.Empty(Engine.Changes);
    }

    private static GrainState<Account> Migrated(GrainState<Account> state) =>
        new() { State = state.State, ETag = state.ETag, RecordExists = state.RecordExists };

    private async Task<GrainState<Account>> WrittenAsync()
    {
        var state = Account.Of("owner", 1);
        await _storage.WriteStateAsync(Name, _grain, state);
        return state;
    }

    private Task DoAsync(string operation, GrainState<Account> state) => operation switch
    {
        "Reading" => _storage.ReadStateAsync(Name, _grain, state),
        "Writing" => _storage.WriteStateAsync(Name, _grain, state),
        _ => _storage.ClearStateAsync(Name, _grain, state),
    };
}
