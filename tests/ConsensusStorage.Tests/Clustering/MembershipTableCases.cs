using System.Collections.Immutable;
using Orleans.Consensus.Clustering.Documents;
using Orleans.Runtime;

namespace Orleans.Consensus.Tests.Clustering;

/// <summary>What Orleans demands of every membership table, restated.</summary>
public abstract class MembershipTableCases : IAsyncLifetime
{
    private ImmutableArray<IDocuments> _places;
    private TestedTable _table = null!;

    public async ValueTask InitializeAsync()
    {
        _places = await CreatePlacesAsync();
        _table = await MembershipBench.StartAsync(_places);
    }

    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task An_empty_table_has_version_0_and_an_etag()
    {
        var read = await _table.ReadAllAsync();
        Assert.Empty(read.Members);
        Assert.Equal(0, read.Version.Version);
        Assert.NotNull(read.Version.VersionEtag);
    }

    [Fact]
    public async Task A_row_that_is_inserted_is_read_with_the_new_version()
    {
        var entry = MembershipBench.Entry();
        entry.RoleName = "role";
        entry.UpdateZone = 3;
        entry.FaultZone = 4;
        var version = await InsertAsync(entry);

        var all = await _table.ReadAllAsync();
        var row = await _table.ReadRowAsync(entry.SiloAddress);
        Assert.Equal(1, all.Version.Version);
        Assert.NotEqual(version.VersionEtag, all.Version.VersionEtag);
        Assert.Equal(all.Version, row.Version);
        Assert.Equal(Assert.Single(all.Members).Item2, Assert.Single(row.Members).Item2);
        Assert.Equal(entry.ToFullString(), row.Members[0].Item1.ToFullString());
        Assert.Equal("role", row.Members[0].Item1.RoleName);
        Assert.Equal((3, 4), (row.Members[0].Item1.UpdateZone, row.Members[0].Item1.FaultZone));
    }

    [Fact]
    public async Task A_silo_that_is_not_there_has_no_row()
    {
        await InsertAsync(MembershipBench.Entry());
        var row = await _table.ReadRowAsync(MembershipBench.Entry().SiloAddress);
        Assert.Empty(row.Members);
        Assert.Equal(1, row.Version.Version);
    }

    [Fact]
    public async Task A_row_is_inserted_once_and_over_the_version_that_was_read()
    {
        var entry = MembershipBench.Entry();
        var version = await InsertAsync(entry);

        Assert.False(await _table.InsertRowAsync(entry, version));
        Assert.False(await _table.InsertRowAsync(MembershipBench.Entry(), version));
        Assert.False(await _table.InsertRowAsync(entry, (await _table.ReadAllAsync()).Version.Next()));
        var read = await _table.ReadAllAsync();
        Assert.Single(read.Members);
        Assert.Equal(1, read.Version.Version);
    }

    [Fact]
    public async Task A_row_is_updated_over_its_etag_and_the_version_that_was_read()
    {
        for (var silos = 1; silos <= 5; silos++)
        {
            var entry = MembershipBench.Entry();
            entry.AddSuspector(MembershipBench.Entry().SiloAddress, DateTime.UtcNow);
            entry.AddSuspector(MembershipBench.Entry().SiloAddress, DateTime.UtcNow.AddSeconds(1));
            var old = await InsertAsync(entry);
            var etag = await ETagAsync(entry);
            Assert.False(await _table.UpdateRowAsync(entry, etag, old));

            entry.Status = SiloStatus.Active;
            var version = (await _table.ReadAllAsync()).Version.Next();
            Assert.True(await _table.UpdateRowAsync(entry, etag, version));
            Assert.False(await _table.UpdateRowAsync(entry, etag, version));
            Assert.False(await _table.UpdateRowAsync(entry, etag, (await _table.ReadAllAsync()).Version.Next()));

            var read = await _table.ReadAllAsync();
            Assert.Equal(silos, read.Members.Count);
            Assert.Equal(silos * 2, read.Version.Version);
            Assert.NotEqual(etag, read.TryGet(entry.SiloAddress)!.Item2);
            Assert.Equal(entry.ToFullString(), read.TryGet(entry.SiloAddress)!.Item1.ToFullString());
        }
    }

    [Fact]
    public async Task A_row_that_is_not_there_is_not_updated()
    {
        var version = (await _table.ReadAllAsync()).Version.Next();
        Assert.False(await _table.UpdateRowAsync(MembershipBench.Entry(), "1", version));
        Assert.Equal(0, (await _table.ReadAllAsync()).Version.Version);
    }

    [Fact]
    public async Task Of_changes_in_parallel_each_one_that_succeeds_counts_once()
    {
        var entry = MembershipBench.Entry();
        var version = (await _table.ReadAllAsync()).Version.Next();
        var inserts = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => _table.InsertRowAsync(entry, version)));
        Assert.Single(inserts, done => done);

        await Task.WhenAll(Enumerable.Range(0, 9).Select(async _ =>
        {
            for (var done = false; !done;)
            {
                var read = await _table.ReadAllAsync();
                var (row, etag) = read.TryGet(entry.SiloAddress)!;
                done = await _table.UpdateRowAsync(row, etag, read.Version.Next());
            }
        }));
        var all = await _table.ReadAllAsync();
        Assert.Equal(10, all.Version.Version);
        Assert.Single(all.Members);
    }

    [Fact]
    public async Task A_sign_of_life_changes_no_version()
    {
        var entry = MembershipBench.Entry();
        await InsertAsync(entry);
        var before = await _table.ReadAllAsync();
        var alive = DateTime.UtcNow.AddSeconds(5);
        await _table.UpdateIAmAliveAsync(new() { SiloAddress = entry.SiloAddress, IAmAliveTime = alive });

        var after = await _table.ReadAllAsync();
        Assert.Equal(alive, Assert.Single(after.Members).Item1.IAmAliveTime);
        Assert.Equal(before.Version, after.Version);
        Assert.Equal(before.Members[0].Item2, after.Members[0].Item2);
    }

    [Fact]
    public async Task Old_silos_that_are_not_active_are_cleaned_away()
    {
        var old = DateTime.UtcNow.AddDays(-10);
        foreach (var status in Enum.GetValues<SiloStatus>())
        {
            var entry = MembershipBench.Entry(status);
            (entry.StartTime, entry.IAmAliveTime) = (old, old);
            await InsertAsync(entry);
        }

        var recent = MembershipBench.Entry(SiloStatus.Dead);
        await InsertAsync(recent);
        var beating = MembershipBench.Entry();
        (beating.StartTime, beating.IAmAliveTime) = (old, old);
        await InsertAsync(beating);
        await _table.UpdateIAmAliveAsync(new() { SiloAddress = beating.SiloAddress, IAmAliveTime = DateTime.UtcNow });
        var before = await _table.ReadAllAsync();

        await _table.CleanupDefunctSiloEntriesAsync(DateTime.UtcNow.AddDays(-3));

        var after = await _table.ReadAllAsync();
        Assert.Equal(3, after.Members.Count);
        Assert.NotNull(after.TryGet(recent.SiloAddress));
        Assert.NotNull(after.TryGet(beating.SiloAddress));
        Assert.Contains(after.Members, member => member.Item1.Status == SiloStatus.Active);
        Assert.Equal(before.Version.Version + 1, after.Version.Version);
        await _table.CleanupDefunctSiloEntriesAsync(DateTime.UtcNow.AddDays(-3));
        Assert.Equal(after.Version, (await _table.ReadAllAsync()).Version);
    }

    [Fact]
    public async Task Entries_that_are_deleted_are_gone_and_the_table_goes_on()
    {
        await InsertAsync(MembershipBench.Entry());
        await _table.DeleteMembershipTableEntriesAsync("cluster");
        var read = await _table.ReadAllAsync();
        Assert.Empty(read.Members);
        Assert.Equal(0, read.Version.Version);
        await InsertAsync(MembershipBench.Entry());
        Assert.Single((await _table.ReadAllAsync()).Members);
    }

    [Fact]
    public async Task Gateways_are_the_active_silos_that_have_a_port_for_clients()
    {
        var without = MembershipBench.Entry(SiloStatus.Active);
        without.ProxyPort = 0;
        var active = MembershipBench.Entry(SiloStatus.Active);
        var dead = MembershipBench.Entry(SiloStatus.Dead);
        foreach (var entry in new[] { without, active, MembershipBench.Entry(), dead })
        {
            await InsertAsync(entry);
        }

        var gateways = MembershipBench.Gateways(_places);
        await gateways.InitializeGatewayListProviderAsync(TestContext.Current.CancellationToken);
        var uri = Assert.Single(await gateways.GetGatewaysAsync(TestContext.Current.CancellationToken));
        Assert.Equal(30000, uri.Port);
        Assert.Equal($"/{active.SiloAddress.Generation}", uri.AbsolutePath);
        Assert.Equal(TimeSpan.FromMinutes(1), gateways.MaxStaleness);
    }

    [Fact]
    public async Task Twenty_silos_join_at_once()
    {
        var tables = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => MembershipBench.StartAsync(_places)));
        await Task.WhenAll(tables.Select(table => MembershipBench.JoinAsync(table, MembershipBench.Entry())));
        var read = await _table.ReadAllAsync();
        Assert.Equal(20, read.Members.Count);
        Assert.Equal(20, read.Version.Version);
    }

    internal abstract ValueTask<ImmutableArray<IDocuments>> CreatePlacesAsync();

    private async Task<TableVersion> InsertAsync(MembershipEntry entry)
    {
        var version = (await _table.ReadAllAsync()).Version.Next();
        Assert.True(await _table.InsertRowAsync(entry, version));
        return version;
    }

    private async Task<string> ETagAsync(MembershipEntry entry) =>
        (await _table.ReadRowAsync(entry.SiloAddress)).Members[0].Item2;
}
