using Orleans.Consensus.ClusterTests.Support;
using Orleans.Runtime;
using Orleans.Runtime.Placement;
using Orleans.Storage;

namespace Orleans.Consensus.ClusterTests.Survival;

/// <summary>
/// A silo that is alive, but whose messages of the store are lost; Orleans itself notices nothing, as with a network
/// that fails one way. Its activations are duplicates soon: they may fail, but not lie.
/// </summary>
public sealed class CutOffSiloTests(ThreeSilos fixture) : IClassFixture<ThreeSilos>, IAsyncLifetime
{
    private const int Alone = 2;

    private readonly TestedCluster _cluster = fixture.Cluster;

    public async ValueTask InitializeAsync() => await _cluster.RestoreAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task It_reads_nothing_and_writes_nothing_new()
    {
        CutOff();

        var failures = await Task.WhenAll(
            Assert.ThrowsAsync<ConsensusUnavailableException>(() => NewClient().ReadAsync()),
            Assert.ThrowsAsync<ConsensusUnavailableException>(() => NewClient().WriteAsync(1)));

        Assert.All(failures, failure =>
        {
            Assert.False(failure.MayHaveHappened);
            Assert.InRange(failure.NotAnswered.Count, 2, 3);
            Assert.True(_cluster.Floats || failure.NotAnswered.Except(["r2"]).Order().SequenceEqual(["r0", "r1"]));
        });
    }

    [Fact]
    public async Task Its_write_under_way_is_in_doubt_and_the_same_state_object_settles_it()
    {
        var client = NewClient();
        await client.WriteAsync(1);
        var etag = client.State.ETag;
        CutOff();

        var doubt = await Assert.ThrowsAsync<ConsensusOutcomeUnknownException>(() => client.WriteAsync(2));
        Assert.True(doubt.MayHaveHappened);
        Assert.StartsWith("in-doubt-", client.State.ETag, StringComparison.Ordinal);
        await Assert.ThrowsAnyAsync<ConsensusStorageException>(client.RetryAsync);

        _cluster.Network.Heal();

        await Eventually.SucceedsAsync(client.RetryAsync);
        Assert.NotEqual(etag, client.State.ETag);
        Assert.Equal(2, await client.ReadAsync());
    }

    [Fact]
    public async Task Its_state_is_never_stale_while_the_others_go_on()
    {
        var id = StorageClient.NewId();
        var lonely = new StorageClient(_cluster, Alone, id);
        await lonely.WriteAsync(1);
        CutOff();
        var other = new StorageClient(_cluster, 0, id);
        Assert.Equal(1, await other.ReadAsync());
        await other.WriteAsync(2);

        await Assert.ThrowsAsync<ConsensusOutcomeUnknownException>(() => lonely.WriteAsync(10));
        await Assert.ThrowsAsync<ConsensusUnavailableException>(
            () => new StorageClient(_cluster, Alone, id).ReadAsync());
        var read = await Assert.ThrowsAnyAsync<ConsensusStorageException>(lonely.ReadAsync);
        Assert.True(read.MayHaveHappened);
        await other.WriteAsync(3);
        _cluster.Network.Heal();

        var conflict = await Eventually.SucceedsAsync(
            () => Assert.ThrowsAnyAsync<InconsistentStateException>(lonely.RetryAsync));
        Assert.True(Assert.IsType<ConsensusInDoubtStateException>(conflict).MayHaveHappened);
        Assert.Equal(3, await lonely.ReadAsync());
        await lonely.WriteAsync(4);
        Assert.Equal(4, await new StorageClient(_cluster, 1, id).ReadAsync());
    }

    [Fact]
    public async Task Writes_whose_answers_are_lost_have_happened_and_do_not_conflict_with_themselves()
    {
        var client = NewClient();
        await client.WriteAsync(1);
        _cluster.Network.CutOff(_cluster.Address(Alone), Cut.Answers);

        var doubt = await Assert.ThrowsAsync<ConsensusOutcomeUnknownException>(() => client.WriteAsync(2));
        Assert.True(doubt.MayHaveHappened);
        _cluster.Network.Heal();

        await Eventually.SucceedsAsync(client.RetryAsync);
        Assert.Equal(2, await client.ReadAsync());
        await client.WriteAsync(3);
        Assert.Equal(3, await client.ReadAsync());
    }

    [Fact]
    public async Task A_first_write_whose_answers_are_lost_does_not_conflict_with_itself()
    {
        var client = NewClient();
        Assert.Equal(0, await client.ReadAsync());
        _cluster.Network.CutOff(_cluster.Address(Alone), Cut.AnswersToAccepts);
        await Assert.ThrowsAsync<ConsensusOutcomeUnknownException>(() => client.WriteAsync(1));
        _cluster.Network.Heal();

        await Eventually.SucceedsAsync(client.RetryAsync);
        Assert.Equal(1, await client.ReadAsync());
    }

    [Fact]
    public async Task Reading_settles_what_is_in_doubt()
    {
        var client = NewClient();
        await client.WriteAsync(1);
        _cluster.Network.CutOff(_cluster.Address(Alone), Cut.Answers);
        await Assert.ThrowsAsync<ConsensusOutcomeUnknownException>(() => client.WriteAsync(2));
        _cluster.Network.Heal();

        var value = await Eventually.SucceedsAsync(client.ReadAsync);

        Assert.InRange(value, 1, 2);
        await client.WriteAsync(3);
        Assert.Equal(3, await client.ReadAsync());
    }

    [Fact]
    public async Task The_others_do_not_miss_it_and_its_grains_lose_nothing()
    {
        await using var load = CounterLoad.Start(_cluster.Client);
        await load.ProgressAsync(10);
        CutOff();
        var others = Enumerable.Range(0, 2).Select(silo => new StorageClient(_cluster, silo, StorageClient.NewId()));
        await Task.WhenAll(others.Select(client => client.WriteAsync(1)));
        await Assert.ThrowsAnyAsync<ConsensusStorageException>(() => NewClient().ReadAsync());
        _cluster.Network.Heal();
        await load.ProgressAsync(10);

        await load.VerifyAsync();
    }

    [Fact]
    public async Task A_grain_that_migrates_takes_its_doubt_along()
    {
        var grain = _cluster.Client.GetGrain<IMovingGrain>(Guid.NewGuid().ToString("N"));
        RequestContext.Set(IPlacementDirector.PlacementHintKey, _cluster.Address(Alone));
        Assert.True(await grain.TryWriteAsync(1));
        RequestContext.Clear();
        Assert.Equal(_cluster.Address(Alone), await grain.WhereAsync());
        _cluster.Network.CutOff(_cluster.Address(Alone), Cut.AnswersToAccepts);
        Assert.False(await grain.TryWriteAsync(2));
        var doubt = await grain.ETagAsync();

        await grain.MoveToAsync(_cluster.Address(0));
        await Eventually.BecomesAsync(grain.WhereAsync, _cluster.Address(0).Equals);

        Assert.Equal(doubt, await grain.ETagAsync());
        Assert.True(await grain.TryWriteAsync(3));
        Assert.DoesNotContain("in-doubt", await grain.ETagAsync(), StringComparison.Ordinal);
    }

    private StorageClient NewClient() => new(_cluster, Alone, StorageClient.NewId());

    private void CutOff() => _cluster.Network.CutOff(_cluster.Address(Alone));
}
