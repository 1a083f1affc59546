using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Orleans.Consensus.ClusterTests.Bank;

/// <summary>One bank's command line: ports that were free when it was made, for all its lives.</summary>
internal sealed record BankPlan
{
    private const int MaxSilos = 9;

    public required string Data { get; init; }

    public int Silos { get; init; } = 3;

    public int Groups { get; init; } = 16;

    public int HttpPort { get; private init; }

    public int SiloPort { get; private init; }

    public int GatewayPort { get; private init; }

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
        return
        [
            "silo", "--name", name, "--replica", name, "--silo-port", Text(SiloPort + silo),
            "--gateway-port", Text(GatewayPort + silo), "--http-port", Text(HttpPortOf(silo)),
            "--data", Path.Combine(Data, name), "--cluster", Path.Combine(Data, "cluster"), "--groups", Text(Groups),
        ];
    }

    public Uri AddressOf(int silo) => new($"http://127.0.0.1:{HttpPortOf(silo)}");

    public static string NameOf(int silo) => ((char)('a' + silo)).ToString();

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
