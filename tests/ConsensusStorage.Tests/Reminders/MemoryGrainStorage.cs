using System.Collections.Concurrent;
using Orleans.Runtime;
using Orleans.Storage;

namespace Orleans.Consensus.Tests.Reminders;

/// <summary>States in memory with ETags, some of whose writes conflict although nobody else has written.</summary>
internal sealed class MemoryGrainStorage : IGrainStorage
{
    private readonly ConcurrentDictionary<GrainId, (object State, string ETag)> _states = [];
    private int _versions;

    /// <summary>So many of the next writes conflict.</summary>
    public int Conflicts { get; set; }

    /// <summary>
    /// What others do while the next write is on its way, which conflicts then and leaves it in doubt whether it was
    /// done before; and whether it was.
    /// </summary>
    public (Func<Task> Meanwhile, bool IsDone)? Doubt { get; set; }

    /// <summary>So many of the next reads find no quorum.</summary>
    public int Failures { get; set; }

    /// <summary>Reads take until this is over.</summary>
    public Task Delay { get; set; } = Task.CompletedTask;

    /// <summary>Writes take until this is over.</summary>
    public Task WriteDelay { get; set; } = Task.CompletedTask;

    /// <summary>States that were written.</summary>
    public ConcurrentQueue<GrainId> Writes { get; } = [];

    /// <summary>States that were read.</summary>
    public ConcurrentQueue<GrainId> Reads { get; } = [];

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        ReadStateAsync(stateName, grainId, grainState, CancellationToken.None);

    public async Task ReadStateAsync<T>(
        string stateName, GrainId grainId, IGrainState<T> grainState, CancellationToken cancellationToken)
    {
        await Task.Yield();
        Reads.Enqueue(grainId);
        await Delay.WaitAsync(cancellationToken);
        if (Failures-- > 0)
        {
            throw new ConsensusUnavailableException("no quorum");
        }

        var exists = _states.TryGetValue(grainId, out var found);
        grainState.State = exists ? (T)found.State : default!;
        grainState.ETag = exists ? found.ETag : null;
        grainState.RecordExists = exists;
    }

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        WriteStateAsync(stateName, grainId, grainState, CancellationToken.None);

    public async Task WriteStateAsync<T>(
        string stateName, GrainId grainId, IGrainState<T> grainState, CancellationToken cancellationToken)
    {
        await Task.Yield();
        Writes.Enqueue(grainId);
        await WriteDelay.WaitAsync(cancellationToken);
        if (Doubt is { } doubt)
        {
            Doubt = null;
            if (doubt.IsDone)
            {
                Write(grainId, new GrainState<T>(grainState.State, grainState.ETag));
            }

            await doubt.Meanwhile();
            throw new ConsensusInDoubtStateException("in doubt");
        }

        Write(grainId, grainState);
    }

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        throw new NotSupportedException();

    private void Write<T>(GrainId grainId, IGrainState<T> grainState)
    {
        lock (_states)
        {
            var etag = _states.TryGetValue(grainId, out var found) ? found.ETag : null;
            if (Conflicts-- > 0 || etag != grainState.ETag)
            {
                throw new InconsistentStateException("conflict", etag, grainState.ETag);
            }

            grainState.ETag = $"{++_versions}";
            _states[grainId] = (grainState.State!, grainState.ETag);
        }
    }
}
