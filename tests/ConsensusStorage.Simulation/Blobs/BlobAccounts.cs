using System.Collections.Immutable;
using System.Globalization;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Journaling.Blobs;
using Orleans.Consensus.Simulation.Kernel;

namespace Orleans.Consensus.Simulation.Blobs;

/// <summary>A storage account for each replica of a cluster, and the ways there.</summary>
internal sealed class BlobAccounts
{
    private const string Prefix = "silo";

    private readonly SimulatedScheduler _kernel;
    private readonly ReplicaSet _replicas;

    public BlobAccounts(SimulatedScheduler kernel, ReplicaSet replicas, Random random)
    {
        (_kernel, _replicas) = (kernel, replicas);
        All = [.. replicas.Members.Select(_ => new BlobAccount(kernel.Time, new(random.Next())))];
    }

    /// <summary>In the order of the replicas.</summary>
    public ImmutableArray<BlobAccount> All { get; }

    /// <summary>Appends that a blob takes; so few that logs roll all the time.</summary>
    public int MaxAppends { get; init; } = 24;

    /// <summary>What a silo's requests are known by.</summary>
    public static string ClientOf(int silo) => $"{Prefix}{silo.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>Whose request it is; null if it is no silo's.</summary>
    public static int? SiloOf(string client) => client.StartsWith(Prefix, StringComparison.Ordinal)
        ? int.Parse(client.AsSpan(Prefix.Length), CultureInfo.InvariantCulture)
        : null;

    /// <summary>Where the logs are as a silo's process sees them, by their name.</summary>
    public Func<string, IJournalStore> LogsOf(
        int silo, SimulatedProcess process, TimeProvider time, Random random, JournalOptions options) =>
        name => new BlobJournalStore(
            replica => new ProcessBlobs(Of(replica).ClientOf(ClientOf(silo)), process, _kernel),
            name,
            options,
            time,
            random)
        {
            MaxAppends = MaxAppends,
        };

    /// <summary>The same for somebody who only looks.</summary>
    public IJournalStore LogsOf(string name, Random random, JournalOptions options) =>
        new BlobJournalStore(
            replica => Of(replica).ClientOf("visitor"), name, options, _kernel.Time, random)
        {
            MaxAppends = MaxAppends,
        };

    private BlobAccount Of(ReplicaId replica) => All[_replicas.IndexOf(replica)];
}
