using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Consensus.Hosting;
using Orleans.Runtime;

namespace Orleans.Consensus.Tests.Hosting;

/// <summary>Runs one stage of what subscribed to it.</summary>
internal sealed class StagedLifecycle : ISiloLifecycle
{
    private readonly List<(int Stage, ILifecycleObserver Observer)> _observers = [];

    /// <summary>Of the stores of a host.</summary>
    public static StagedLifecycle Of(IHost host)
    {
        var lifecycle = new StagedLifecycle();
        host.Services.GetRequiredService<ConsensusStores>().Participate(lifecycle);
        return lifecycle;
    }

    public int HighestCompletedStage => 0;

    public int LowestStoppedStage => 0;

    public IDisposable Subscribe(string observerName, int stage, ILifecycleObserver observer)
    {
        _observers.Add((stage, observer));
        return new CancellationTokenSource();
    }

    public Task StartAsync(int stage) =>
        Task.WhenAll(At(stage).Select(observer => observer.OnStart(CancellationToken.None)));

    public Task StopAsync(int stage) =>
        Task.WhenAll(At(stage).Select(observer => observer.OnStop(new(canceled: true))));

    private IEnumerable<ILifecycleObserver> At(int stage) =>
        _observers.Where(entry => entry.Stage == stage).Select(entry => entry.Observer);
}
