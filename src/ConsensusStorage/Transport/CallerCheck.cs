using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using Orleans.Consensus.Diagnostics;
using Orleans.Runtime;

namespace Orleans.Consensus.Transport;

/// <summary>
/// Tells whether a call comes from a silo of this cluster: from the client that each silo hosts for code outside of
/// grains, and a silo that the membership does not call dead. Clients and grains are not silos.
/// <para>Stock clients can't forge that identity, modified ones can: <see cref="ClusterSecret"/> is for those.</para>
/// <para>Not thread-safe: lives on the scheduler of the grain service.</para>
/// </summary>
internal sealed partial class CallerCheck(IClusterMembershipService membership, TimeProvider time, ILogger logger)
{
    /// <summary>What an unknown caller may cost: one read of the membership table in this time.</summary>
    public static readonly TimeSpan RefreshInterval = TimeSpan.FromSeconds(1);

    private const string HostedClientPrefix = "hosted-";
    private const int MaxRemembered = 1024;

    private readonly Dictionary<GrainId, SiloAddress> _silos = [];
    private readonly RateLimit _refreshes = new(time, RefreshInterval);
    private Task _refresh = Task.CompletedTask;

    /// <summary>Whether <paramref name="source"/> is a live silo; may wait for the membership table.</summary>
    public ValueTask<bool> IsLiveSiloAsync(GrainId? source)
    {
        if (source is not { } id || !TryGetSilo(id, out var silo))
        {
            return new(false);
        }

        var status = StatusOf(silo);
        return status is null ? new(IsLiveAfterRefreshAsync(silo)) : new(status != SiloStatus.Dead);
    }

    private SiloStatus? StatusOf(SiloAddress silo) =>
        membership.CurrentSnapshot.Members.TryGetValue(silo, out var member) ? member.Status : null;

    private async Task<bool> IsLiveAfterRefreshAsync(SiloAddress silo)
    {
        if (_refresh.IsCompleted && _refreshes.TryTake(out _))
        {
            _refresh = RefreshAsync();
        }

        await _refresh;
        return StatusOf(silo) is { } status && status != SiloStatus.Dead;
    }

    private async Task RefreshAsync()
    {
        try
        {
            await membership.Refresh();
        }
        catch (Exception exception)
        {
            LogNoRefresh(logger, exception);
        }
    }

    private bool TryGetSilo(GrainId id, [NotNullWhen(true)] out SiloAddress? silo)
    {
        if (_silos.TryGetValue(id, out silo))
        {
            return true;
        }

        if (!TryParse(id, out silo))
        {
            return false;
        }

        if (_silos.Count >= MaxRemembered)
        {
            _silos.Clear();
        }

        _silos.Add(id, silo);
        return true;
    }

    private static bool TryParse(GrainId id, [NotNullWhen(true)] out SiloAddress? silo)
    {
        silo = null;
        var key = id.Type == GrainTypePrefix.ClientGrainType ? id.Key.ToString() : null;
        if (key is null || !key.StartsWith(HostedClientPrefix, StringComparison.Ordinal))
        {
            return false;
        }

        var text = key[HostedClientPrefix.Length..];
        try
        {
            silo = SiloAddress.FromParsableString(text);
        }
        catch (Exception exception) when (exception is FormatException or ArgumentException or OverflowException)
        {
            return false;
        }

        return silo.ToParsableString() == text;
    }

    [LoggerMessage(152, LogLevel.Warning, "An unknown silo called, and the cluster membership can't be refreshed.")]
    private static partial void LogNoRefresh(ILogger logger, Exception exception);
}
