using Microsoft.Extensions.Diagnostics.HealthChecks;
using Orleans.Consensus.SampleSilo.CommandLine;

namespace Orleans.Consensus.SampleSilo.Cluster;

/// <summary>
/// All silos of the bank in one process, each of which may be killed and started at any time. Thread-safe.
/// </summary>
internal sealed class DemoCluster : IOwnCluster
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(12);

    private readonly List<BankSilo> _silos;

    public DemoCluster(IEnumerable<BankSiloSettings> silos) => _silos = [.. silos.Select(each => new BankSilo(each))];

    /// <summary>The settings of silos a, b, c … with consecutive ports.</summary>
    /// <param name="data">The directory of logs that are files.</param>
    public static IEnumerable<BankSiloSettings> Plan(DemoOptions options, string data)
    {
        var names = DemoOptions.NamesOf(options.Silos);
        var replicas = DemoOptions.NamesOf(options.Replicas);
        var accounts = BankSiloSettings.AccountsOf(replicas, options.Connections);
        return names.Select((name, index) => new BankSiloSettings
        {
            Name = name,
            SiloPort = options.SiloPort + index,
            GatewayPort = options.GatewayPort + index,
            Replicas = replicas,
            Replica = !options.IsAzure && replicas.Contains(name) ? name : null,
            Groups = options.Groups,
            DataDirectory = data,
            ClusterDirectory = Path.Combine(data, "cluster"),
            Accounts = accounts,
            Container = options.Container,
        });
    }

    public bool RequestsWait => true;

    /// <summary>All at once; the first one that fails ends it.</summary>
    /// <exception cref="StartException">One of them did not start; the message says why.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _silos.ForEach(silo => SiloPorts.Check(silo.Settings));
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var starts = _silos.Select(silo => silo.JoinAsync(giveUp.Token)).ToList();
        await foreach (var start in Task.WhenEach(starts))
        {
            if (start.IsFaulted)
            {
                await giveUp.CancelAsync();
                await Task.WhenAll(starts).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                await start;
            }
        }

        cancellationToken.ThrowIfCancellationRequested();
    }

    public BankGateway? FindGateway() => _silos.Select(silo => silo.Gateway).FirstOrDefault(each => each is not null);

    public HealthCheckService? FindHealth() => FindServices()?.GetRequiredService<HealthCheckService>();

    public async Task<ClusterView> DescribeAsync(CancellationToken cancellationToken)
    {
        var store = FindServices()?.GetKeyedService<IConsensusStore>("Default");
        List<SiloView> silos = [.. _silos.Select(silo => silo.View)];
        return new(silos, await GroupView.ReadAsync(store, silos, cancellationToken))
        {
            Own = [.. silos.Select(silo => silo.Name)],
        };
    }

    public async Task<SiloChange> KillAsync(string name) =>
        Find(name) switch
        {
            null => Unknown(name),
            var silo => await silo.KillAsync(),
        };

    public async Task<SiloChange> StartAsync(string name, CancellationToken cancellationToken)
    {
        if (Find(name) is not { } silo)
        {
            return Unknown(name);
        }

        try
        {
            return await silo.StartAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            return new SiloChange.Failed(StartException.Explain(exception));
        }
    }

    /// <summary>
    /// One after another, so that each sees the others leave; those that are left when the time is over, all at once.
    /// </summary>
    public async Task<bool> StopAsync()
    {
        using var timeout = new CancellationTokenSource(StopTimeout);
        var stops = new List<Task<bool>>();
        foreach (var silo in Enumerable.Reverse(_silos))
        {
            stops.Add(silo.LeaveAsync(timeout.Token));
            await Task.WhenAny(stops[^1], Task.Delay(Timeout.Infinite, timeout.Token));
        }

        return (await Task.WhenAll(stops)).All(isClean => isClean);
    }

    private IServiceProvider? FindServices() =>
        _silos.Select(silo => silo.Services).FirstOrDefault(each => each is not null);

    private static SiloChange.Unknown Unknown(string name) => new($"There is no silo '{name}'.");

    private BankSilo? Find(string name) => _silos.Find(silo => silo.Settings.Name == name);
}
