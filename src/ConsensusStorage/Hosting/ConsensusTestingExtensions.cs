using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Consensus.Hosting;
using Orleans.Providers;
using Orleans.Runtime;

namespace Orleans.Hosting;

/// <summary>Sets a consensus store up for tests.</summary>
public static class ConsensusTestingExtensions
{
    private const string PubSubStore = "PubSubStore";

    /// <summary>
    /// Sets up the default grain storage, and <c>PubSubStore</c> for streams, on one store in a whole cluster of
    /// Orleans' TestingHost (<c>InProcessTestCluster</c> or <c>TestCluster</c>): silo number i hosts replica <c>ri</c>,
    /// silos beyond the replicas host none. Timeouts are short: 5 seconds for an operation, 500 ms for a round.
    /// <para>The cluster must start with at least as many silos as replicas, because new logs form only when all
    /// replicas are there. A <c>TestCluster</c> tells its number of silos, and gets no more replicas than it has silos;
    /// for a smaller <c>InProcessTestCluster</c> pass 1.</para>
    /// </summary>
    /// <param name="replicas">Number of replicas: 1, 3 or 5. Default 3.</param>
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

        var count = AtMostTheSilos(replicas, builder.Configuration["InitialSilosCount"]);
        builder.UseConsensusStore(store => store.Configure<IOptions<SiloOptions>, IOptions<ClusterOptions>>(
            (options, silo, cluster) => Configure(options, count, silo.Value.SiloName, cluster.Value)));
        if (inMemory)
        {
            builder.Services.AddKeyedSingleton<JournalStoreFactory>(
                ConsensusStoreOptions.DefaultStoreName,
                (services, _) => TestingLogs.Of(
                    services.GetRequiredService<IOptions<ClusterOptions>>().Value,
                    StoreClock.Of(services)));
        }

        builder.AddConsensusGrainStorage(ProviderConstants.DEFAULT_STORAGE_PROVIDER_NAME);
        return builder.AddConsensusGrainStorage(PubSubStore);
    }

    private static int AtMostTheSilos(int replicas, string? silos) =>
        int.TryParse(silos, CultureInfo.InvariantCulture, out var count) && count < replicas
            ? count < 3 ? 1 : 3
            : replicas;

    private static void Configure(ConsensusStoreOptions options, int replicas, string silo, ClusterOptions cluster)
    {
        var number = NumberOf(silo);
        options.Replicas = [.. Enumerable.Range(0, replicas).Select(NameOf)];
        options.ReplicaId = number < replicas ? NameOf(number) : null;
        options.DataDirectory = TestingLogs.DirectoryOf(cluster);
        options.Groups = 4;
        options.RequestTimeout = TimeSpan.FromSeconds(5);
        options.RoundTimeout = TimeSpan.FromMilliseconds(500);
        options.SegmentBytes = 1024 * 1024;
    }

    private static string NameOf(int number) => $"r{number.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>TestingHost's silos are Silo_0, Silo_1… in process, else Primary, Secondary_1….</summary>
    private static int NumberOf(string silo)
    {
        if (silo == "Primary")
        {
            return 0;
        }

        var digits = silo.StartsWith("Silo_", StringComparison.Ordinal) ? silo["Silo_".Length..]
            : silo.StartsWith("Secondary_", StringComparison.Ordinal) ? silo["Secondary_".Length..]
            : "";
        return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new OrleansConfigurationException(
                $"{nameof(AddConsensusGrainStorageForTesting)} gives replicas out by the names of TestingHost's silos "
                + $"(Silo_N, Primary, Secondary_N), and this silo is named '{silo}'. Configure a silo of another kind "
                + $"with {nameof(ConsensusSiloBuilderExtensions.UseConsensusStore)}.");
    }
}
