using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;
using Orleans.Storage;
using Orleans.TestingHost;

namespace Orleans.Consensus.ClusterTests.Support;

/// <summary>
/// A cluster of TestingHost silos over real files, or blobs, with the shipped provider as default storage. Silos go by
/// their numbers; one that is started again gets new ports.
/// </summary>
internal sealed class TestedCluster : IAsyncDisposable
{
    private static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(10);

    private readonly ClusterPlan _plan;
    private readonly InProcessTestCluster _cluster;
    private readonly Dictionary<int, InProcessSiloHandle> _silos = [];

    private TestedCluster(ClusterPlan plan)
    {
        _plan = plan;
        var builder = new InProcessTestClusterBuilder((short)plan.Silos);
        builder.Options.ConfigureFileLogging = false;
        builder.Options.ServiceId = plan.Service;
        builder.Options.ClusterId = plan.Cluster ?? builder.Options.ClusterId;
        builder.ConfigureSilo((options, silo) => Configure(NumberOf(options.SiloName), silo));
        builder.ConfigureClient(client =>
        {
            client.Configure<ClientMessagingOptions>(options => options.ResponseTimeout = ResponseTimeout);
            client.Configure<GatewayOptions>(options => options.GatewayListRefreshPeriod = TimeSpan.FromSeconds(1));
            plan.Client(client);
        });
        _cluster = builder.Build();
    }

    public Network Network { get; } = new();

    public TimeSpan RequestTimeout => _plan.RequestTimeout;

    /// <summary>Whether replicas float among the silos; else each stays with the silo of its number.</summary>
    public bool Floats => _plan.Blobs;

    /// <summary>Of the first group, and of all that share its logs, as silos call it among themselves.</summary>
    public string FirstTarget => ConsensusStoreOptions.DefaultStoreName + (_plan.Blobs ? "/0" : "");

    public IClusterClient Client => _cluster.Client;

    public IReadOnlyCollection<int> Alive => [.. _silos.Keys.Order()];

    public static IReadOnlyList<string> ReplicaNames(int count) =>
        [.. Enumerable.Range(0, count).Select(number => $"r{number}")];

    /// <summary>Starts all silos, and waits until all replicas serve.</summary>
    public static async Task<TestedCluster> StartAsync(ClusterPlan plan)
    {
        var cluster = await DeployAsync(plan);
        try
        {
            await cluster.UntilAllServeAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts all silos, and waits for no replica.</summary>
    public static async Task<TestedCluster> DeployAsync(ClusterPlan plan)
    {
        var cluster = new TestedCluster(await plan.WithAccountsAsync());
        try
        {
            await cluster._cluster.DeployAsync();
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }

        foreach (var silo in cluster._cluster.Silos)
        {
            cluster._silos.Add(NumberOf(silo.Name), silo);
        }

        return cluster;
    }

    public IServiceProvider Services(int silo) => _silos[silo].ServiceProvider;

    public SiloAddress Address(int silo) => _silos[silo].SiloAddress;

    /// <summary>A provider as the runtime of a silo has it.</summary>
    public IGrainStorage Storage(int silo, string provider = "Default") =>
        Services(silo).GetRequiredKeyedService<IGrainStorage>(provider);

    public async Task<IReadOnlyList<ConsensusReplicaStatus>> StatusAsync(
        int silo, string store = ConsensusStoreOptions.DefaultStoreName) =>
        await Services(silo).GetRequiredKeyedService<IConsensusStore>(store).GetStatusAsync();

    /// <summary>
    /// The status after writes to states of all groups, whatever became of them: a replica that is asked for nothing
    /// does not notice what has happened to its log.
    /// </summary>
    public async Task<IReadOnlyList<ConsensusReplicaStatus>> StatusAfterWritesAsync(int silo)
    {
        await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => Record.ExceptionAsync(
            () => new StorageClient(this, silo, StorageClient.NewId()).WriteAsync(1)).AsTask()));
        return await StatusAsync(silo);
    }

    /// <summary>Ends a silo like a crash, as far as one process can: with no time to stop.</summary>
    public async Task KillAsync(int silo)
    {
        _silos.Remove(silo, out var handle);
        await _cluster.KillSiloAsync(handle!);
        await handle!.DisposeAsync();
    }

    /// <summary>Stops a silo in order.</summary>
    public async Task StopAsync(int silo)
    {
        _silos.Remove(silo, out var handle);
        await _cluster.StopSiloAsync(handle!);
        await handle!.DisposeAsync();
    }

    /// <summary>Starts a silo that is not there, at an address of its own.</summary>
    public async Task StartSiloAsync(int silo)
    {
        var (siloPort, gatewayPort) = _cluster.PortAllocator.AllocateConsecutivePortPairs(1);
        _silos.Add(silo, await _cluster.CreateSiloAsync(
            new() { SiloName = $"Silo_{silo}", SiloPort = siloPort, GatewayPort = gatewayPort }));
    }

    /// <summary>Undoes what a test has done: no cuts, all silos alive, no others, all replicas serving.</summary>
    public async Task RestoreAsync()
    {
        Network.Heal();
        foreach (var silo in Alive.Where(silo => silo >= _plan.Silos))
        {
            await KillAsync(silo);
        }

        foreach (var silo in Enumerable.Range(0, _plan.Silos).Except(_silos.Keys).ToList())
        {
            await StartSiloAsync(silo);
        }

        await UntilAllServeAsync();
    }

    /// <summary>Waits until each silo sees every replica serving, at silos that are alive.</summary>
    public async Task UntilAllServeAsync()
    {
        foreach (var silo in Alive)
        {
            foreach (var store in _plan.Stores)
            {
                await Eventually.BecomesAsync(() => StatusAsync(silo, store), AllServe);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(Alive.Select(KillAsync));
        await _cluster.DisposeAsync();
    }

    private bool AllServe(IReadOnlyList<ConsensusReplicaStatus> status)
    {
        var hosts = _silos.Values.Select(silo => silo.SiloAddress.ToParsableString()).ToHashSet();
        return status.All(replica => replica.State == ConsensusReplicaState.Serving && hosts.Contains(replica.Host!));
    }

    private void Configure(int number, ISiloBuilder silo)
    {
        _plan.Configure(number, silo);
        silo.Configure<SiloMessagingOptions>(options => options.ResponseTimeout = ResponseTimeout);
        Network.Attach(silo.Services);
    }

    private static int NumberOf(string name) => int.Parse(name["Silo_".Length..], CultureInfo.InvariantCulture);
}
