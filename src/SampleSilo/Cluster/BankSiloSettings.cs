using System.Net;

namespace Orleans.Consensus.SampleSilo.Cluster;

/// <summary>Everything one silo of the bank is told.</summary>
internal sealed record BankSiloSettings
{
    /// <summary>Orleans' ServiceId and ClusterId.</summary>
    public const string ClusterName = "bank";

    /// <summary>The file with the membership in <see cref="ClusterDirectory"/>.</summary>
    public const string MembershipDocument = ClusterName + ".membership";

    public required string Name { get; init; }

    /// <summary>Whether somebody chose the name, and may have chosen it twice: see <see cref="NameCheck"/>.</summary>
    public bool ChecksName { get; init; }

    /// <summary>The address of this machine that the others reach it at.</summary>
    public IPAddress Host { get; init; } = IPAddress.Loopback;

    public required int SiloPort { get; init; }

    public required int GatewayPort { get; init; }

    /// <summary>All replicas of the store.</summary>
    public required IReadOnlyList<string> Replicas { get; init; }

    public required int Groups { get; init; }

    /// <summary>Where the logs are, if they are files.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>Where the membership is, if it is a file: the same directory for all silos.</summary>
    public string ClusterDirectory { get; init; } = "";

    /// <summary>The storage account of each replica, and of the membership, if these are blobs; else empty.</summary>
    public IReadOnlyDictionary<string, string> Accounts { get; init; } = new Dictionary<string, string>();

    /// <summary>The container of blobs.</summary>
    public string Container { get; init; } = "";

    /// <summary>The replica that is pinned to this silo, or null.</summary>
    public string? Replica { get; init; }

    /// <summary>The storage account of each replica: one for all of them, or one for each; none for files.</summary>
    public static IReadOnlyDictionary<string, string> AccountsOf(
        IReadOnlyList<string> replicas, IReadOnlyList<string> connections) => connections.Count == 0
            ? new Dictionary<string, string>()
            : replicas.Select((name, index) => (name, connections[index % connections.Count])).ToDictionary();

    public string Address => new IPEndPoint(Host, SiloPort).ToString();
}
