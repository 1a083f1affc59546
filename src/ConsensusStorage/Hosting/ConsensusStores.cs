using System.Collections.Frozen;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
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
    private readonly IServiceProvider _services;
    private readonly TimeProvider _time;
    private long? _stopping;

    public ConsensusStores(ConfiguredStores stores, IServiceProvider services)
    {
        _services = services;
        _time = StoreClock.Of(services);
        _hosts = new(() => CreateHosts(stores, services));
    }

    /// <summary>The store of that name, or null.</summary>
    /// <exception cref="OrleansConfigurationException">An option of any store is wrong.</exception>
    public StoreHost? Find(string name) => _hosts.Value.GetValueOrDefault(name);

    public void Participate(ISiloLifecycle observer)
    {
        observer.Subscribe(
            "Orleans.Consensus stores", ServiceLifecycleStage.RuntimeStorageServices, OpenAsync, CloseAsync);
        observer.Subscribe("Orleans.Consensus membership", MembershipStage, _ => JoinAsync(), LeaveAsync);
        _services.GetService<IHostApplicationLifetime>()?.ApplicationStopping
            .Register(() => _stopping = _time.GetTimestamp());
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

    /// <summary>
    /// Orleans runs validators only after it has made what a silo consists of, and parts of that, like reminders, ask
    /// for a store already.
    /// </summary>
    private static FrozenDictionary<string, StoreHost> CreateHosts(ConfiguredStores stores, IServiceProvider services)
    {
        new ConsensusOptionsValidator(stores).ValidateConfiguration();
        return stores.Names.ToFrozenDictionary(
            name => name, name => new StoreHost(name, stores[name], services), StringComparer.Ordinal);
    }

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
    /// Grains have written their last by now, and other silos know that this one is leaving. They may take long to read
    /// its logs; half of the time that the host gives to its stop is left for the rest of it.
    /// </summary>
    private async Task LeaveAsync(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return;
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var shutdown = _services.GetRequiredService<IOptions<HostOptions>>().Value.ShutdownTimeout;
        if (shutdown != Timeout.InfiniteTimeSpan)
        {
            var spent = _stopping is { } began ? _time.GetElapsedTime(began) : TimeSpan.Zero;
            var left = (shutdown / 2) - spent;
            patience.CancelAfter(left > TimeSpan.Zero ? left : TimeSpan.Zero);
        }

        await Task.WhenAll(_hosts.Value.Values.Select(host => host.LeaveAsync(patience.Token)));
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
