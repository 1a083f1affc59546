using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Consensus.Hosting;
using Orleans.Providers;

namespace Orleans.Hosting;

/// <summary>Sets a consensus store up for tests.</summary>
public static class ConsensusTestingExtensions
{
    private const string PubSubStore = "PubSubStore";

    /// <summary>
    /// Sets up the default grain storage, and <c>PubSubStore</c> for streams, on one store in a whole cluster of
    /// Orleans' TestingHost (<c>InProcessTestCluster</c> or <c>TestCluster</c>) of any number of silos, with the
    /// shipped timeouts. The replicas float: the silos that are there share them out, and take over those of a silo
    /// that is killed, because all of them reach all logs. To test the loss of disks or of a quorum, use
    /// <c>UseConsensusStore</c>.
    /// </summary>
    /// <param name="replicas">Number of replicas, <c>r0</c>, <c>r1</c> and so on: 1, 3 or 5. Default 3.</param>
    /// <param name="inMemory">
    /// Default true: logs in memory, shared by the silos of one ServiceId and ClusterId in this process, so that they
    /// outlive a silo that is killed and started again; kept until the process ends. False: files in
    /// <c>orleans-consensus-tests</c> in the directory for temporary files, which are not deleted.
    /// </param>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="replicas"/> is not 1, 3 or 5.</exception>
    public static ISiloBuilder AddConsensusGrainStorageForTesting(
        this ISiloBuilder builder, int replicas = 3, bool inMemory = true)
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (replicas is not (1 or 3 or 5))
        {
            throw new ArgumentOutOfRangeException(nameof(replicas), replicas, "The number of replicas is 1, 3 or 5.");
        }

        builder.UseConsensusStore(store => store.Configure<IOptions<ClusterOptions>>(
            (options, cluster) => Configure(options, replicas, cluster.Value)));
        if (inMemory)
        {
            builder.Services.AddKeyedSingleton<JournalStoreFactory>(
                ConsensusStoreOptions.DefaultStoreName,
                (services, _) => TestingLogs.Of(
                    services.GetRequiredService<IOptions<ClusterOptions>>().Value, StoreClock.Of(services)));
        }

        builder.AddConsensusGrainStorage(ProviderConstants.DEFAULT_STORAGE_PROVIDER_NAME);
        return builder.AddConsensusGrainStorage(PubSubStore);
    }

    private static void Configure(ConsensusStoreOptions options, int replicas, ClusterOptions cluster)
    {
        options.Replicas = [.. Enumerable.Range(0, replicas).Select(
            number => string.Create(CultureInfo.InvariantCulture, $"r{number}"))];
        options.Placement = ConsensusPlacement.Floating;
        options.DataDirectory = TestingLogs.DirectoryOf(cluster);
        options.SegmentBytes = 1024 * 1024;
    }
}
