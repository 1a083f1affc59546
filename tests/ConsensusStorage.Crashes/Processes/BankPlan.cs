using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Orleans.Consensus.Crashes.Processes;

/// <summary>One bank's command line: ports that were free when it was made, for all its lives.</summary>
internal sealed record BankPlan
{
    private const int MaxSilos = 9;

    private static readonly string Loopback = IPAddress.Loopback.ToString();

    public required string Data { get; init; }

    public int Silos { get; init; } = 3;

    public int Groups { get; init; } = 16;

    /// <summary>Storage accounts of the replicas, if their logs are blobs; else none.</summary>
    public IReadOnlyList<string> Connections { get; init; } = [];

    /// <summary>Addresses of silos that are processes of their own; all on this machine if there are none.</summary>
    public IReadOnlyList<string> Hosts { get; init; } = [];

    public int HttpPort { get; private init; }

    public int SiloPort { get; private init; }

    public int GatewayPort { get; private init; }

    /// <summary>Where the membership is, if that is a file.</summary>
    public string ClusterDirectory => Path.Combine(Data, "cluster");

    /// <summary>Its document there.</summary>
    public string MembershipDocument => Path.Combine(ClusterDirectory, "bank.membership");

    public Uri Address => new($"http://127.0.0.1:{HttpPort}");

    public string[] Arguments =>
    [
        "--data", Data, "--silos", Text(Silos), "--groups", Text(Groups), "--http-port", Text(HttpPort),
        "--silo-port", Text(SiloPort), "--gateway-port", Text(GatewayPort),
    ];

    public static BankPlan Create(string data)
    {
        var first = FindFreePorts(3 * MaxSilos);
        return new()
        {
            Data = data,
            HttpPort = first,
            SiloPort = first + MaxSilos,
            GatewayPort = first + (2 * MaxSilos),
        };
    }

    /// <summary>Starts it and waits until it serves.</summary>
    public async Task<SampleProgram> StartAsync()
    {
        var program = SampleProgram.Start(Arguments);
        try
        {
            await program.PrintsAsync("Ready: ");
            return program;
        }
        catch
        {
            await program.DisposeAsync();
            throw;
        }
    }

    /// <summary>The command line of silo a, b, c …, a process of its own with a directory of its own.</summary>
    public string[] ArgumentsOf(int silo)
    {
        var name = NameOf(silo);
        string[] common =
        [
            "silo", "--name", name, "--silo-port", Text(SiloPort + silo), "--gateway-port", Text(GatewayPort + silo),
            "--http-port", Text(HttpPortOf(silo)), "--host", HostOf(silo), "--replicas", Text(Silos),
        ];
        return Connections.Count == 0
            ?
            [
                .. common, "--replica", name, "--data", DirectoryOf(silo),
                "--cluster", ClusterDirectory, "--groups", Text(Groups),
            ]
            : [.. common, "--storage", "azure", .. Connections.SelectMany(each => new[] { "--connection", each })];
    }

    /// <summary>Where the log of silo a, b, c … is, if that is a file.</summary>
    public string DirectoryOf(int silo) => Path.Combine(Data, NameOf(silo));

    /// <summary>Where a run keeps what silo a, b, c … prints.</summary>
    public string LogOf(int silo) => DirectoryOf(silo) + ".log";

    public Uri AddressOf(int silo) => new($"http://{HostOf(silo)}:{HttpPortOf(silo)}");

    public static string NameOf(int silo) => ((char)('a' + silo)).ToString();

    private string HostOf(int silo) => Hosts.Count == 0 ? Loopback : Hosts[silo];

    private int HttpPortOf(int silo) => HttpPort + silo;

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>
    /// Looks below the ports that systems give to outgoing connections, and beside those of the sample and TestingHost.
    /// </summary>
    private static int FindFreePorts(int count)
    {
        for (var attempt = 0; attempt < 100; attempt++)
        {
            var first = Random.Shared.Next(12_000, 20_000);
            if (Enumerable.Range(first, count).All(IsFree))
            {
                return first;
            }
        }

        throw new InvalidOperationException($"There are no {count} free ports in a row.");
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
