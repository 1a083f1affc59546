using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Orleans.Consensus.SampleSilo.CommandLine;

namespace Orleans.Consensus.SampleSilo.Cluster;

/// <summary>
/// All silos of the bank in one process. Silo <c>a</c> carries Orleans' development membership table, which exists
/// once and in memory only: it starts first, stops last, and is not killed. Thread-safe.
/// </summary>
internal sealed class DemoCluster : IBankCluster, IAsyncDisposable
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(8);

    private readonly List<BankSilo> _silos;

    public DemoCluster(IEnumerable<BankSiloSettings> silos) => _silos = [.. silos.Select(each => new BankSilo(each))];

    /// <summary>The settings of silos a, b, c … with consecutive ports.</summary>
    /// <param name="data">The directory of logs that are files.</param>
    public static IEnumerable<BankSiloSettings> Plan(DemoOptions options, string data)
    {
        var names = NamesOf(options.Silos);
        var replicas = NamesOf(options.Replicas);
        var accounts = options.IsAzure
            ? replicas.Select((name, index) => (name, options.Connections[index % options.Connections.Count]))
            : [];
        return names.Select((name, index) => new BankSiloSettings
        {
            Name = name,
            SiloPort = options.SiloPort + index,
            GatewayPort = options.GatewayPort + index,
            Primary = new(IPAddress.Loopback, options.SiloPort),
            Replicas = replicas,
            Groups = options.Groups,
            DataDirectory = data,
            Accounts = accounts.ToDictionary(),
            Container = options.Container,
        });
    }

    /// <summary>Starts the silos.</summary>
    /// <exception cref="StartException">One of them did not start; the message says why.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _silos.ForEach(silo => CheckPorts(silo.Settings));
        await StartAsync(_silos[0], cancellationToken);
        await Task.WhenAll(_silos.Skip(1).Select(silo => StartAsync(silo, cancellationToken)));
    }

    public BankGateway? FindGateway() => _silos.Select(silo => silo.Gateway).FirstOrDefault(each => each is not null);

    public async Task<ClusterView> DescribeAsync(CancellationToken cancellationToken)
    {
        var services = _silos.Select(silo => silo.Services).FirstOrDefault(each => each is not null);
        var store = services?.GetKeyedService<IConsensusStore>("Default");
        var replicas = store is null ? [] : await store.GetStatusAsync(cancellationToken);
        var groups = replicas.GroupBy(replica => replica.Group).OrderBy(group => group.Key);
        return new(
            [.. _silos.Select(silo => silo.View)],
            [.. groups.Select(group => new GroupView(group.Key, [.. group.Select(ViewOf)]))]);
    }

    public async Task<SiloChange> KillAsync(string name) =>
        Find(name) switch
        {
            null => Unknown(name),
            { Settings.IsPrimary: true } => new SiloChange.Refused(
                $"Silo '{name}' carries Orleans' development membership table, which exists once and in memory only: "
                + "the other silos could not go on without it. Kill another silo, or the whole process."),
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

    /// <summary>Stops the silos one after another, so that each sees the others leave; the primary last.</summary>
    public async ValueTask DisposeAsync()
    {
        using var timeout = new CancellationTokenSource(StopTimeout);
        foreach (var silo in Enumerable.Reverse(_silos))
        {
            await StopAsync(silo, timeout.Token);
        }

        _silos.ForEach(silo => silo.Dispose());
    }

    private static List<string> NamesOf(int count) =>
        [.. Enumerable.Range(0, count).Select(index => ((char)('a' + index)).ToString(CultureInfo.InvariantCulture))];

    private static SiloChange.Unknown Unknown(string name) => new($"There is no silo '{name}'.");

    private static async Task StartAsync(BankSilo silo, CancellationToken cancellationToken)
    {
        try
        {
            await silo.StartAsync(cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new StartException(
                $"silo '{silo.Settings.Name}' did not start: {StartException.Explain(exception)}", exception);
        }
    }

    private static async Task StopAsync(BankSilo silo, CancellationToken cancellationToken)
    {
        try
        {
            await silo.StopAsync(cancellationToken);
        }
        catch (Exception exception)
        {
            await Console.Error.WriteLineAsync(
                $"Silo '{silo.Settings.Name}' did not stop cleanly: {exception.Message}");
        }
    }

    private static void CheckPorts(BankSiloSettings settings)
    {
        foreach (var port in new[] { settings.SiloPort, settings.GatewayPort })
        {
            try
            {
                using var listener = new TcpListener(settings.Primary.Address, port);
                listener.Start();
            }
            catch (SocketException exception)
            {
                throw new StartException(
                    $"port {port} of silo '{settings.Name}' can't be used ({exception.Message}). Perhaps the bank "
                    + "runs already; otherwise choose other ports with --silo-port and --gateway-port.",
                    exception);
            }
        }
    }

    private BankSilo? Find(string name) => _silos.Find(silo => silo.Settings.Name == name);

    private ReplicaView ViewOf(ConsensusReplicaStatus replica)
    {
        var address = replica.Host?.Split('@')[0];
        var host = _silos.Find(silo => silo.Settings.Address == address)?.Settings.Name ?? replica.Host;
        return new(
            replica.Replica,
            host,
            replica.State.ToLowerInvariant(),
            replica.LastBallot,
            replica.LogBytes,
            replica.Problem);
    }
}
