using System.Globalization;
using System.Net;

namespace Orleans.Consensus.SampleSilo.CommandLine;

/// <summary>What the demo, all silos in one process, is told on the command line.</summary>
internal sealed record DemoOptions
{
    public const int MaxSilos = 9;

    public const string FileStorage = "file";
    public const string AzureStorage = "azure";
    public const string DefaultContainer = "bank";
    public const string Loopback = "127.0.0.1";

    public const int FileGroups = 16;
    public const int BlobGroups = 4;

    public static readonly int[] ReplicaCounts = [1, 3, 5];

    public required string Data { get; init; }

    /// <summary><see cref="FileStorage"/> or <see cref="AzureStorage"/>.</summary>
    public string Storage { get; init; } = FileStorage;

    /// <summary>Storage accounts: none for files, else one for all replicas or one for each.</summary>
    public IReadOnlyList<string> Connections { get; init; } = [];

    public string Container { get; init; } = DefaultContainer;

    public bool IsAzure => Storage == AzureStorage;

    public required int HttpPort { get; init; }

    public required int Silos { get; init; }

    public required int Replicas { get; init; }

    public required int Groups { get; init; }

    public required int SiloPort { get; init; }

    public required int GatewayPort { get; init; }

    /// <summary>As many replicas as <paramref name="silos"/> can host, but no more than three.</summary>
    public static int DefaultReplicas(int silos) => silos >= 3 ? 3 : 1;

    /// <summary>What is wrong, a sentence each.</summary>
    public IEnumerable<string> Problems()
    {
        if (Data.Trim().Length == 0)
        {
            yield return "--data must name a directory.";
        }

        if (Silos is < 1 or > MaxSilos)
        {
            yield return $"--silos must be 1 to {MaxSilos}, not {Silos}.";
        }
        else if (!ReplicaCounts.Contains(Replicas))
        {
            yield return $"--replicas must be 1, 3 or 5, not {Replicas}.";
        }
        else if (Replicas > Silos && !IsAzure)
        {
            yield return $"{Replicas} replicas need at least {Replicas} silos to host them: --silos is {Silos}.";
        }

        if (Groups is < 1 or > 1024)
        {
            yield return $"--groups must be 1 to 1024, not {Groups}.";
        }

        if (HttpPort is < 0 or > IPEndPoint.MaxPort)
        {
            yield return $"--http-port must be 1 to {IPEndPoint.MaxPort}, or 0 for any free one, not {HttpPort}.";
        }

        foreach (var problem in StorageProblems(Storage, Connections, Replicas).Concat(PortProblems()))
        {
            yield return problem;
        }
    }

    /// <summary>a, b, c …</summary>
    public static IReadOnlyList<string> NamesOf(int count) =>
        [.. Enumerable.Range(0, count).Select(index => ((char)('a' + index)).ToString(CultureInfo.InvariantCulture))];

    /// <summary>What is wrong with where logs are to be, a sentence each.</summary>
    public static IEnumerable<string> StorageProblems(string storage, IReadOnlyList<string> connections, int replicas)
    {
        if (storage is not (FileStorage or AzureStorage))
        {
            yield return $"--storage must be {FileStorage} or {AzureStorage}, not '{storage}'.";
        }
        else if (storage == AzureStorage && connections.Count != 1 && connections.Count != replicas)
        {
            yield return $"--storage {AzureStorage} needs --connection once, or once for each of {replicas} replicas; "
                + $"it was given {connections.Count} times.";
        }
        else if (storage != AzureStorage && connections.Count > 0)
        {
            yield return $"--connection is for --storage {AzureStorage}.";
        }
    }

    private IEnumerable<string> PortProblems()
    {
        foreach (var (name, port) in new[] { ("--silo-port", SiloPort), ("--gateway-port", GatewayPort) })
        {
            if (port < 1 || port > IPEndPoint.MaxPort - Silos + 1)
            {
                yield return $"{name} must be 1 to {IPEndPoint.MaxPort} for the last of {Silos} silos too, not {port}.";
            }
            else if (HttpPort >= port && HttpPort < port + Silos)
            {
                yield return $"--http-port {HttpPort} is one of the ports that begin at {name} {port}.";
            }
        }

        if (Math.Abs((long)SiloPort - GatewayPort) < Silos)
        {
            yield return $"--silo-port {SiloPort} and --gateway-port {GatewayPort} overlap for {Silos} silos.";
        }
    }
}
