namespace Orleans.Consensus.Transport;

/// <summary>What the transport of a silo is configured with.</summary>
/// <param name="ClusterSecret">Equal on all silos, or null; see <see cref="Transport.ClusterSecret"/>.</param>
/// <param name="AlternateClusterSecret">Accepted too, while silos get another secret one by one; or null.</param>
internal sealed record TransportOptions(string? ClusterSecret, string? AlternateClusterSecret = null)
{
    /// <summary>Does not show the secret.</summary>
    public override string ToString() => ClusterSecret is null ? "no cluster secret" : "cluster secret set";
}
