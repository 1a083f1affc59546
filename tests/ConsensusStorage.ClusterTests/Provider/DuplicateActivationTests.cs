using Orleans.Consensus.ClusterTests.Conformance;
using Orleans.Consensus.ClusterTests.Support;
using Orleans.Runtime;
using Orleans.Storage;

namespace Orleans.Consensus.ClusterTests.Provider;

/// <summary>Two silos that both believe they host a grain, writing its state at the same moment.</summary>
[Collection(nameof(SharedCluster))]
public sealed class DuplicateActivationTests(SharedCluster cluster)
{
    private const int Grains = 50;

    [Fact]
    public async Task Of_two_first_writes_exactly_one_wins() =>
        await Task.WhenAll(Enumerable.Range(0, Grains).Select(_ => RaceAsync(NewId())));

    [Fact]
    public async Task Of_two_later_writes_exactly_one_wins() =>
        await Task.WhenAll(Enumerable.Range(0, Grains).Select(async _ =>
        {
            var id = NewId();
            for (var round = 0; round < 5; round++)
            {
                await RaceAsync(id);
            }
        }));

    [Fact]
    public async Task A_clear_and_a_write_at_once_do_not_both_win() =>
        await Task.WhenAll(Enumerable.Range(0, Grains).Select(async number =>
        {
            var id = NewId();
            await Storage(0).WriteStateAsync("order", id, new GrainState<Order>(Order.Some(number)));
            var writer = await ReadAsync(1, id);
            var clearer = await ReadAsync(2, id);
            writer.State = Order.Some(-1);

            var wrote = WinsAsync(() => Storage(1).WriteStateAsync("order", id, writer));
            var cleared = WinsAsync(() => Storage(2).ClearStateAsync("order", id, clearer));

            Assert.NotEqual(await wrote, await cleared);
            Assert.Equal(await wrote, (await ReadAsync(0, id)).RecordExists);
        }));

    private static GrainId NewId() => GrainId.Create("duplicate", Guid.NewGuid().ToString("N"));

    private static async Task<bool> WinsAsync(Func<Task> change)
    {
        try
        {
            await change();
            return true;
        }
        catch (InconsistentStateException)
        {
            return false;
        }
    }

    private async Task RaceAsync(GrainId id)
    {
        var states = await Task.WhenAll(ReadAsync(0, id), ReadAsync(1, id));
        Assert.Equal(states[0].ETag, states[1].ETag);
        states[0].State = Order.Some(10);
        states[1].State = Order.Some(11);

        var wins = await Task.WhenAll(states.Select(
            (state, silo) => WinsAsync(() => Storage(silo).WriteStateAsync("order", id, state))));

        var winner = Assert.Single(states.Where((_, silo) => wins[silo]));
        var read = await ReadAsync(2, id);
        Assert.Equal(winner.State, read.State);
        Assert.Equal(winner.ETag, read.ETag);
    }

    private async Task<GrainState<Order>> ReadAsync(int silo, GrainId id)
    {
        var state = new GrainState<Order>();
        await Storage(silo).ReadStateAsync("order", id, state);
        return state;
    }

    private IGrainStorage Storage(int silo) => cluster.Cluster.Storage(silo);
}
