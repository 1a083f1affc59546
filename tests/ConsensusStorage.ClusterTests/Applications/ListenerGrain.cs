using Orleans.Runtime;
using Orleans.Streams;

namespace Orleans.Consensus.ClusterTests.Applications;

/// <summary>Keeps what it hears on a stream.</summary>
public interface IListenerGrain : IGrainWithStringKey
{
    /// <summary>Subscribes to the stream of its own name.</summary>
    Task SubscribeAsync();

    Task<List<int>> HeardAsync();
}

[GenerateSerializer]
public sealed class Heard
{
    [Id(0)]
    public List<int> Numbers { get; set; } = [];
}

public sealed class ListenerGrain([PersistentState("heard")] IPersistentState<Heard> heard) : Grain, IListenerGrain
{
    public const string Provider = "memory";

    private IAsyncStream<int> Stream =>
        this.GetStreamProvider(Provider).GetStream<int>(StreamId.Create("numbers", this.GetPrimaryKeyString()));

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        foreach (var subscription in await Stream.GetAllSubscriptionHandles())
        {
            await subscription.ResumeAsync(OnNextAsync);
        }
    }

    public Task SubscribeAsync() => Stream.SubscribeAsync(OnNextAsync);

    public Task<List<int>> HeardAsync() => Task.FromResult(heard.State.Numbers);

    private Task OnNextAsync(int number, StreamSequenceToken? token)
    {
        heard.State.Numbers.Add(number);
        return heard.WriteStateAsync();
    }
}
