using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Runtime;

namespace Orleans.Consensus.SampleSilo.Cluster;

/// <summary>
/// Refuses to start a silo whose name another one bears, at another address. Orleans would let both in, and whoever
/// asks for one of them by name would get either. One that died without a word is given the time to be missed.
/// </summary>
internal sealed class NameCheck(
    IMembershipTable table, ILocalSiloDetails own, IOptions<ClusterMembershipOptions> options, TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    /// <exception cref="StartException">The name is taken.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        MembershipEntry? seen = null;
        while (await FindNamesakeAsync(cancellationToken) is { } other)
        {
            if (other.SiloAddress.Equals(seen?.SiloAddress) && other.IAmAliveTime > seen.IAmAliveTime)
            {
                throw new StartException(
                    $"another silo '{own.Name}' is alive, at {other.SiloAddress.Endpoint}. Choose another name with "
                    + "--name.");
            }

            seen ??= other;
            await Task.Delay(Pause, time, cancellationToken);
        }
    }

    /// <summary>A silo of this name that lives elsewhere, as far as anybody knows.</summary>
    private async Task<MembershipEntry?> FindNamesakeAsync(CancellationToken cancellationToken)
    {
        try
        {
            var read = await table.ReadAllAsync(cancellationToken);
            var missed = time.GetUtcNow().UtcDateTime
                - (options.Value.IAmAliveTablePublishTimeout * options.Value.NumMissedTableIAmAliveLimit);
            return read.Members.Select(member => member.Item1).FirstOrDefault(entry =>
                entry.SiloName == own.Name
                && entry.Status is SiloStatus.Joining or SiloStatus.Active
                && !entry.SiloAddress.Endpoint.Equals(own.SiloAddress.Endpoint)
                && entry.IAmAliveTime > missed);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // There is no membership yet, or it can't be read: joining it tells why, and goes on trying.
            return null;
        }
    }
}
