namespace Orleans.Consensus.Transport;

/// <summary>What the transport of a silo is configured with.</summary>
/// <param name="ClusterSecret">Equal on all silos, or null; see <see cref="Transport.ClusterSecret"/>.</param>
internal sealed record TransportOptions(string? ClusterSecret)
{
    /// <summary>Does not show the secret.</summary>
    public override string ToString() => ClusterSecret is null ? "no cluster secret" : "cluster secret set";
}
