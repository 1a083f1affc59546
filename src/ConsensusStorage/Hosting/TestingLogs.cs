using System.Collections.Concurrent;
using Orleans.Configuration;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Journaling.Files;

namespace Orleans.Consensus.Hosting;

/// <summary>
/// Where test clusters have their logs: in the memory of this process, or in the directory for temporary files, for
/// each service and cluster apart. Thread-safe.
/// </summary>
internal static class TestingLogs
{
    private const long FirstSegmentBytes = 64 * 1024;

    private static readonly ConcurrentDictionary<(string Service, string Cluster), MemoryFiles> Memories = new();

    /// <summary>Logs in memory. They outlive the silos that wrote them, like disks.</summary>
    public static JournalStoreFactory Of(ClusterOptions cluster, TimeProvider time)
    {
        var files = Memories.GetOrAdd((cluster.ServiceId, cluster.ClusterId), _ => new MemoryFiles());
        return (store, options) => new FileJournalStore(
            files,
            store,
            StoreHost.JournalOptionsOf(options) with
            {
                FirstSegmentBytes = FirstSegmentBytes,
                YieldsToOtherClusters = true,
            },
            time,
            Random.Shared);
    }

    /// <summary>A directory that no other cluster of the machine uses.</summary>
    public static string DirectoryOf(ClusterOptions cluster) => Path.Combine(
        Path.GetTempPath(), "orleans-consensus-tests", NameOf(cluster.ServiceId), NameOf(cluster.ClusterId));

    private static string NameOf(string id) => Uri.EscapeDataString(id);
}
