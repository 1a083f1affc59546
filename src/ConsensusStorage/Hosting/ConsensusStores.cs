using System.Collections.Frozen;
using Orleans.Runtime;

namespace Orleans.Consensus.Hosting;

/// <summary>
/// The consensus stores of a silo. They open before grain services answer and close after the last grain has written;
/// other silos are looked for only once this one is a member of the cluster. Thread-safe.
/// </summary>
internal sealed class ConsensusStores : ILifecycleParticipant<ISiloLifecycle>, IAsyncDisposable, IDisposable
{
    /// <summary>
    /// Other silos refuse calls of one that isn't in their membership table; this one is from 8100 on.
    /// </summary>
    private const int MembershipStage = ServiceLifecycleStage.AfterRuntimeGrainServices + 100;

    private readonly Lazy<FrozenDictionary<string, StoreHost>> _hosts;

    public ConsensusStores(ConfiguredStores stores, IServiceProvider services) =>
        _hosts = new(() => stores.Names.ToFrozenDictionary(
            name => name, name => new StoreHost(name, stores[name], services), StringComparer.Ordinal));

    /// <summary>The store of that name, or null.</summary>
    public StoreHost? Find(string name) => _hosts.Value.GetValueOrDefault(name);

    public void Participate(ISiloLifecycle observer)
    {
        observer.Subscribe(
            "Orleans.Consensus stores", ServiceLifecycleStage.RuntimeStorageServices, OpenAsync, CloseAsync);
        observer.Subscribe("Orleans.Consensus membership", MembershipStage, _ => JoinAsync(), LeaveAsync);
    }

    public async ValueTask DisposeAsync()
    {
        if (_hosts.IsValueCreated)
        {
            await CloseAsync(new(canceled: true));
        }
    }

    /// <summary>For containers that are disposed of synchronously. After a stop there is nothing to wait for.</summary>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    private async Task OpenAsync(CancellationToken cancellationToken)
    {
        foreach (var host in _hosts.Value.Values)
        {
            await host.OpenAsync(cancellationToken);
        }
    }

    private async Task CloseAsync(CancellationToken cancellationToken) =>
        await Task.WhenAll(_hosts.Value.Values.Select(host => host.CloseAsync(cancellationToken)));

    /// <summary>
    /// Grains have written their last by now, and other silos know that this one is leaving.
    /// </summary>
    private async Task LeaveAsync(CancellationToken cancellationToken)
    {
        if (!cancellationToken.IsCancellationRequested)
        {
            await Task.WhenAll(_hosts.Value.Values.Select(host => host.LeaveAsync(cancellationToken)));
        }
    }

    private Task JoinAsync()
    {
        foreach (var host in _hosts.Value.Values)
        {
            host.Join();
        }

        return Task.CompletedTask;
    }
}
