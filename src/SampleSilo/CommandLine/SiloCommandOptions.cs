using System.Net;

namespace Orleans.Consensus.SampleSilo.CommandLine;

/// <summary>What one silo, in a process of its own, is told on the command line.</summary>
internal sealed record SiloCommandOptions
{
    public required string Name { get; init; }

    /// <summary>The replica whose log is in <see cref="Data"/>; null for none.</summary>
    public string? Replica { get; init; }

    /// <summary>The address of this machine that the other silos, and customers, reach it at.</summary>
    public string Host { get; init; } = DemoOptions.Loopback;

    public required int SiloPort { get; init; }

    public required int GatewayPort { get; init; }

    public required int HttpPort { get; init; }

    public required string Data { get; init; }

    /// <summary>The directory with the membership, if that is a file.</summary>
    public string? Cluster { get; init; }

    /// <summary>Whether a membership may begin although there was one.</summary>
    public bool NewMembership { get; init; }

    public required string Storage { get; init; }

    public IReadOnlyList<string> Connections { get; init; } = [];

    public required string Container { get; init; }

    public required int Replicas { get; init; }

    public required int Groups { get; init; }

    public bool IsAzure => Storage == DemoOptions.AzureStorage;

    /// <summary>Names of all replicas: a, b, c …</summary>
    public IReadOnlyList<string> ReplicaNames => DemoOptions.NamesOf(Replicas);

    /// <summary>What is wrong, a sentence each.</summary>
    public IEnumerable<string> Problems()
    {
        if (Name.Trim().Length == 0)
        {
            yield return "--name must name the silo.";
        }

        if (!DemoOptions.ReplicaCounts.Contains(Replicas))
        {
            yield return $"--replicas must be 1, 3 or 5, not {Replicas}.";
        }
        else if (Replica is { } replica && !ReplicaNames.Contains(replica))
        {
            yield return $"--replica must be one of {string.Join(", ", ReplicaNames)}, not '{replica}'.";
        }

        if (Groups is < 1 or > 1024)
        {
            yield return $"--groups must be 1 to 1024, not {Groups}.";
        }

        if (!IPAddress.TryParse(Host, out var host) || host.Equals(IPAddress.Any) || host.Equals(IPAddress.IPv6Any))
        {
            yield return $"--host must be an IP address that others can connect to, not '{Host}'.";
        }

        foreach (var problem in DemoOptions.StorageProblems(Storage, Connections, Replicas)
            .Concat(PlaceProblems())
            .Concat(PortProblems()))
        {
            yield return problem;
        }
    }

    private IEnumerable<string> PlaceProblems()
    {
        if (IsAzure)
        {
            if (Replica is not null)
            {
                yield return $"--replica is not for --storage {DemoOptions.AzureStorage}: replicas float there.";
            }

            if (Cluster is not null)
            {
                yield return $"--cluster is not for --storage {DemoOptions.AzureStorage}: "
                    + "the membership is in the accounts.";
            }

            if (NewMembership)
            {
                yield return $"--new-membership is not for --storage {DemoOptions.AzureStorage}: logs and membership "
                    + "are in the same accounts.";
            }

            yield break;
        }

        if (Data.Trim().Length == 0)
        {
            yield return "--data must name a directory.";
        }

        if (string.IsNullOrWhiteSpace(Cluster))
        {
            yield return "--cluster must name a directory that all silos share: the membership is in it.";
        }
    }

    private IEnumerable<string> PortProblems()
    {
        foreach (var (name, port) in new[] { ("--silo-port", SiloPort), ("--gateway-port", GatewayPort) })
        {
            if (port is < 1 or > IPEndPoint.MaxPort)
            {
                yield return $"{name} must be 1 to {IPEndPoint.MaxPort}, not {port}.";
            }
        }

        if (HttpPort is < 0 or > IPEndPoint.MaxPort)
        {
            yield return $"--http-port must be 1 to {IPEndPoint.MaxPort}, or 0 for any free one, not {HttpPort}.";
        }

        if (new[] { SiloPort, GatewayPort, HttpPort }.Distinct().Count() < 3)
        {
            yield return "--silo-port, --gateway-port and --http-port must be three different ports.";
        }
    }
}
