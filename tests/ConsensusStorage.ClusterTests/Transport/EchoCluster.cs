using Microsoft.Extensions.DependencyInjection;
using Orleans.Consensus.Hosting;
using Orleans.Consensus.Transport;
using Orleans.TestingHost;

namespace Orleans.Consensus.ClusterTests.Transport;

/// <summary>Two silos with the transport and nothing else.</summary>
public sealed class EchoCluster : IAsyncLifetime
{
    private readonly Dictionary<InProcessSiloHandle, EchoTarget> _targets = [];
    private readonly InProcessTestCluster _cluster;

    public EchoCluster()
        : this(static _ => { })
    {
    }

    /// <summary>With something done to the services of the second silo.</summary>
    internal EchoCluster(Action<IServiceCollection> configureSecond)
    {
        var builder = new InProcessTestClusterBuilder(2);
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSilo((silo, host) =>
        {
            host.Services.AddConsensusTransport().AddConsensusTransport();
            if (silo.SiloName == "Silo_1")
            {
                configureSecond(host.Services);
            }
        });
        _cluster = builder.Build();
    }

    public IReadOnlyList<InProcessSiloHandle> Silos => _cluster.Silos;

    public InProcessSiloHandle First => _cluster.Silos[0];

    public InProcessSiloHandle Second => _cluster.Silos[1];

    public IClusterClient Client => _cluster.Client;

    internal ITransport Transport => First.ServiceProvider.GetRequiredService<ITransport>();

    public async ValueTask InitializeAsync() => await _cluster.DeployAsync();

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    public Task KillAsync(InProcessSiloHandle silo) => _cluster.KillSiloAsync(silo);

    internal EchoTarget TargetOf(InProcessSiloHandle silo) => _targets[silo];

    internal void AddTargets()
    {
        foreach (var silo in Silos)
        {
            _targets[silo] = new();
            Registry(silo).Add(EchoTarget.Store, _targets[silo]);
        }
    }

    internal void RemoveTargets()
    {
        foreach (var (silo, target) in _targets)
        {
            Registry(silo).Remove(EchoTarget.Store, target);
        }
    }

    private static TransportTargets Registry(InProcessSiloHandle silo) =>
        silo.ServiceProvider.GetRequiredService<TransportTargets>();
}
