using Orleans.Runtime;

namespace Orleans.Consensus.ClusterTests.Support;

/// <summary>Counts requests, each once.</summary>
public interface ICounterGrain : IGrainWithStringKey
{
    /// <summary>Adds one for <paramref name="request"/> unless that was done before; returns the count.</summary>
    Task<int> AddAsync(Guid request);

    /// <summary>What is counted, after reading the store again.</summary>
    Task<CounterState> ReadAsync();
}

/// <summary>A count, and the requests it is made of.</summary>
[GenerateSerializer]
public sealed class CounterState
{
    [Id(0)]
    public int Value { get; set; }

    [Id(1)]
    public List<Guid> Requests { get; set; } = [];
}

/// <summary>
/// Never answers with what was not written: after a failure it reads again first, through the same state object.
/// </summary>
public sealed class CounterGrain([PersistentState("counter")] IPersistentState<CounterState> state)
    : Grain, ICounterGrain
{
    private bool _inDoubt;

    public async Task<int> AddAsync(Guid request)
    {
        if (_inDoubt)
        {
            await ReadAsync();
        }

        var before = state.State;
        if (before.Requests.Contains(request))
        {
            return before.Value;
        }

        state.State = new() { Value = before.Value + 1, Requests = [.. before.Requests, request] };
        try
        {
            await state.WriteStateAsync();
        }
        catch
        {
            state.State = before;
            _inDoubt = true;
            throw;
        }

        return state.State.Value;
    }

    public async Task<CounterState> ReadAsync()
    {
        _inDoubt = true;
        await state.ReadStateAsync();
        _inDoubt = false;
        return state.State;
    }
}
