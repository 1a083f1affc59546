using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Orleans.Configuration;
using Orleans.Consensus.Hosting;
using Orleans.Runtime;

namespace Orleans.Hosting;

/// <summary>Tells of a consensus store by ASP.NET's health checks.</summary>
public static class ConsensusHealthCheckExtensions
{
    /// <summary>The tag of the check for readiness.</summary>
    public const string ReadyTag = "ready";

    /// <summary>The tag of the check for liveness.</summary>
    public const string LiveTag = "live";

    /// <summary>
    /// Adds two checks of a consensus store of the silo in this host. The first, tagged <see cref="ReadyTag"/>: healthy
    /// while more replicas of each group serve than a quorum needs, or the only one does; degraded while as many do,
    /// so that none may be lost; else unhealthy, and so it is while the log of the replica that is pinned to this silo
    /// is not open. A replica that can't take changes, because its disk is full say, does not serve. It asks the other
    /// silos, for at most a second, each time. The second, tagged <see cref="LiveTag"/> and named
    /// after the first with <c>-live</c> behind it: unhealthy once the store has come to a halt that only another start
    /// of the process ends.
    /// </summary>
    /// <param name="store">The store's name.</param>
    /// <param name="name">
    /// The name of the first check; <c>consensus</c> for the default store, else <c>consensus-</c> and the store's name
    /// if it is null.
    /// </param>
    /// <param name="failureStatus">What is told instead of unhealthy, or null.</param>
    /// <param name="tags">Tags of both besides their own, or null.</param>
    /// <param name="timeout">After which the first counts as unhealthy, or null for none.</param>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    /// <exception cref="ArgumentException">
    /// <paramref name="store"/> is empty, or <paramref name="name"/> is not null but empty.
    /// </exception>
    public static IHealthChecksBuilder AddConsensusStorage(
        this IHealthChecksBuilder builder,
        string store = ConsensusStoreOptions.DefaultStoreName,
        string? name = null,
        HealthStatus? failureStatus = null,
        IEnumerable<string>? tags = null,
        TimeSpan? timeout = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(store);
        name ??= store == ConsensusStoreOptions.DefaultStoreName ? "consensus" : $"consensus-{store}";
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        builder.Services.AddSingleton<IConfigurationValidator>(services => new HealthCheckValidator(services, store));
        var own = tags?.ToList() ?? [];
        builder.Add(new(
            name,
            services => new ConsensusReadinessCheck(Find(services, store)),
            failureStatus,
            [ReadyTag, .. own],
            timeout));
        return builder.Add(new(
            $"{name}-live",
            services => new ConsensusLivenessCheck(Find(services, store)),
            failureStatus,
            [LiveTag, .. own]));
    }

    private static StoreHost Find(IServiceProvider services, string store) =>
        services.GetService<ConsensusStores>()?.Find(store) ?? throw HealthCheckValidator.Refusal(
            store, services.GetService<ConfiguredStores>()?.Names ?? []);
}
