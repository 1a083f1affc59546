using System.Collections.Immutable;
using System.Net;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Consensus.Clustering;
using Orleans.Consensus.Clustering.Documents;
using Orleans.Consensus.Hosting;
using Orleans.Runtime;

namespace Orleans.Consensus.Tests.Clustering;

/// <summary>A cluster's membership in places, and silos that take part in it.</summary>
internal static class MembershipBench
{
    public const string DocumentName = "service.membership";

    private static int _generation;

    /// <summary>One silo's or client's way to it.</summary>
    public static Membership Open(
        IEnumerable<IDocuments> places, string cluster = "cluster", TimeSpan? request = null) =>
        MembershipPlaces.Create(
            places.ToImmutableArray(),
            new ClusterOptions { ServiceId = "service", ClusterId = cluster },
            request ?? TimeSpan.FromSeconds(20),
            TimeProvider.System,
            new Random());

    /// <summary>One silo's table.</summary>
    public static async Task<TestedTable> StartAsync(IEnumerable<IDocuments> places, string cluster = "cluster")
    {
        var table = new TestedTable(Open(places, cluster));
        await table.InitializeAsync();
        return table;
    }

    public static ConsensusGatewayListProvider Gateways(IEnumerable<IDocuments> places) =>
        new(Open(places), Options.Create(new GatewayOptions()));

    public static ImmutableArray<MemoryDocuments> Memory(int count) =>
        [.. Enumerable.Range(1, count).Select(number => new MemoryDocuments($"{number}"))];

    /// <summary>A row of a silo that nobody else is.</summary>
    public static MembershipEntry Entry(SiloStatus status = SiloStatus.Joining)
    {
        var silo = SiloAddress.New(IPAddress.Loopback, 11111, Interlocked.Increment(ref _generation));
        var now = DateTime.UtcNow;
        var seconds = new DateTime(now.Ticks - (now.Ticks % TimeSpan.TicksPerSecond), DateTimeKind.Utc);
        return new()
        {
            SiloAddress = silo,
            HostName = "host",
            SiloName = "silo",
            Status = status,
            ProxyPort = 30000,
            StartTime = seconds,
            IAmAliveTime = seconds,
        };
    }

    /// <summary>Adds a row as Orleans does it: reads, tries, and begins again if others were faster.</summary>
    public static async Task JoinAsync(TestedTable table, MembershipEntry entry)
    {
        while (true)
        {
            try
            {
                var read = await table.ReadAllAsync();
                if (read.TryGet(entry.SiloAddress) is not null
                    || await table.InsertRowAsync(entry, read.Version.Next()))
                {
                    return;
                }
            }
            catch (IOException)
            {
                // As Orleans does: whether it was done shows when it is read again.
            }
        }
    }
}

/// <summary>A silo's table, under the token of its test.</summary>
internal sealed class TestedTable(Membership membership)
{
    private readonly ConsensusMembershipTable _table = new(membership);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public Task InitializeAsync() => _table.InitializeMembershipTableAsync(true, Cancel);

    public Task<MembershipTableData> ReadAllAsync() => _table.ReadAllAsync(Cancel);

    public Task<MembershipTableData> ReadRowAsync(SiloAddress silo) => _table.ReadRowAsync(silo, Cancel);

    public Task<bool> InsertRowAsync(MembershipEntry entry, TableVersion version) =>
        _table.InsertRowAsync(entry, version, Cancel);

    public Task<bool> UpdateRowAsync(MembershipEntry entry, string etag, TableVersion version) =>
        _table.UpdateRowAsync(entry, etag, version, Cancel);

    public Task UpdateIAmAliveAsync(MembershipEntry entry) => _table.UpdateIAmAliveAsync(entry, Cancel);

    public Task CleanupDefunctSiloEntriesAsync(DateTimeOffset before) =>
        _table.CleanupDefunctSiloEntriesAsync(before, Cancel);

    public Task DeleteMembershipTableEntriesAsync(string cluster) =>
        _table.DeleteMembershipTableEntriesAsync(cluster, Cancel);
}
