using Orleans.Configuration;
using Orleans.Consensus.ClusterTests.Support;
using Orleans.Hosting;
using Orleans.Runtime;

namespace Orleans.Consensus.ClusterTests.Survival;

/// <summary>All silos are told to stop at once, as by a scale to zero, while grains have something to write.</summary>
public sealed class StoppedTogetherTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("pinned")]
    [InlineData("floating over files")]
    [InlineData("floating over blobs")]
    public async Task What_grains_write_when_they_are_deactivated_is_there_after_the_next_start(string how)
    {
        var plan = new ClusterPlan
        {
            Directory = _directory.Path,
            Blobs = how == "floating over blobs",
            Store = (_, options) =>
            {
                if (how == "floating over files")
                {
                    options.Placement = ConsensusPlacement.Floating;
                    options.ReplicaId = null;
                    options.DataDirectory = _directory.Path;
                }
            },
        };
        plan = await plan.WithAccountsAsync();
        var writes = Enumerable.Range(0, 60)
            .ToDictionary(number => $"last-{number}", number => number < 6 ? 60 : 1);
        await using (var cluster = await TestedCluster.StartAsync(plan))
        {
            await Task.WhenAll(writes.Select(
                grain => cluster.Client.GetGrain<ILateWriterGrain>(grain.Key).RememberAsync(grain.Value)));
            await Task.WhenAll(cluster.Alive.Select(cluster.StopAsync));
        }

        await using var again = await TestedCluster.StartAsync(plan);
        foreach (var (key, count) in writes)
        {
            Assert.Equal(count, await again.Client.GetGrain<ILateWriterGrain>(key).ReadAsync());
        }
    }
}

/// <summary>Writes what it is told only when it is deactivated.</summary>
public interface ILateWriterGrain : IGrainWithStringKey
{
    Task RememberAsync(int writes);

    Task<int> ReadAsync();
}

/// <inheritdoc cref="ILateWriterGrain"/>
public sealed class LateWriterGrain([PersistentState("late")] IPersistentState<CounterState> state)
    : Grain, ILateWriterGrain
{
    private int _writes;

    public Task RememberAsync(int writes)
    {
        _writes = writes;
        return Task.CompletedTask;
    }

    public Task<int> ReadAsync() => Task.FromResult(state.State.Value);

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        for (var write = 0; write < _writes; write++)
        {
            state.State.Value++;
            await state.WriteStateAsync(cancellationToken);
        }
    }
}
