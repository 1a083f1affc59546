using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Messaging;
using Orleans.Runtime;

namespace Orleans.Consensus.Clustering;

/// <summary>
/// The gateways of a cluster, for clients: reads the membership and never changes a byte, so rights to read are enough.
/// Thread-safe.
/// </summary>
internal sealed class ConsensusGatewayListProvider(Membership membership, IOptions<GatewayOptions> options)
    : IGatewayListProvider
{
    public TimeSpan MaxStaleness => options.Value.GatewayListRefreshPeriod;

    public bool IsUpdatable => true;

    public Task InitializeGatewayListProviderAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task<IList<Uri>> GetGatewaysAsync(CancellationToken cancellationToken)
    {
        var read = await membership.PeekAsync(cancellationToken);
        return
        [
            .. read.Rows.Rows
                .Select(row => row.Entry)
                .Where(entry => entry.Status == SiloStatus.Active && entry.ProxyPort != 0)
                .Select(entry => SiloAddress.New(
                    entry.SiloAddress.Endpoint.Address, entry.ProxyPort, entry.SiloAddress.Generation).ToGatewayUri()),
        ];
    }

    Task IGatewayListProvider.InitializeGatewayListProvider() =>
        InitializeGatewayListProviderAsync(CancellationToken.None);

    Task<IList<Uri>> IGatewayListProvider.GetGateways() => GetGatewaysAsync(CancellationToken.None);
}
