using Orleans.Runtime;
using Orleans.Runtime.Placement;

namespace Orleans.Consensus.ClusterTests.Support;

/// <summary>Goes to another silo when it is told to, and takes along what Orleans takes along.</summary>
public interface IMovingGrain : IGrainWithStringKey
{
    /// <summary>Writes <paramref name="value"/>; false if the outcome is unknown.</summary>
    Task<bool> TryWriteAsync(int value);

    /// <summary>The ETag of its state.</summary>
    Task<string?> ETagAsync();

    /// <summary>The silo it is on.</summary>
    Task<SiloAddress> WhereAsync();

    /// <summary>Goes to <paramref name="silo"/> as soon as this call is over.</summary>
    Task MoveToAsync(SiloAddress silo);
}

/// <inheritdoc cref="IMovingGrain"/>
public sealed class MovingGrain(
    [PersistentState("moving")] IPersistentState<CounterState> state, ILocalSiloDetails silo) : Grain, IMovingGrain
{
    public async Task<bool> TryWriteAsync(int value)
    {
        state.State.Value = value;
        try
        {
            await state.WriteStateAsync();
            return true;
        }
        catch (ConsensusOutcomeUnknownException)
        {
            return false;
        }
    }

    public Task<string?> ETagAsync() => Task.FromResult<string?>(state.Etag);

    public Task<SiloAddress> WhereAsync() => Task.FromResult(silo.SiloAddress);

    public Task MoveToAsync(SiloAddress silo)
    {
        RequestContext.Set(IPlacementDirector.PlacementHintKey, silo);
        MigrateOnIdle();
        return Task.CompletedTask;
    }
}
