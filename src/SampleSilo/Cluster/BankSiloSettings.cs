using System.Net;

namespace Orleans.Consensus.SampleSilo.Cluster;

/// <summary>Everything one silo of the bank is told.</summary>
internal sealed record BankSiloSettings
{
    /// <summary>Orleans' ServiceId and ClusterId.</summary>
    public const string ClusterName = "bank";

    public required string Name { get; init; }

    public required int SiloPort { get; init; }

    public required int GatewayPort { get; init; }

    /// <summary>The silo that carries Orleans' development membership table.</summary>
    public required IPEndPoint Primary { get; init; }

    /// <summary>All replicas of the store.</summary>
    public required IReadOnlyList<string> Replicas { get; init; }

    public required int Groups { get; init; }

    /// <summary>Where the logs are.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>The replica this silo hosts, or null.</summary>
    public string? Replica => Replicas.Contains(Name) ? Name : null;

    public bool IsPrimary => Primary.Port == SiloPort;

    public string Address => $"{Primary.Address}:{SiloPort}";
}
