using Orleans.Runtime;

namespace Orleans.Consensus.Clustering;

/// <summary>Orleans' membership table in documents. Thread-safe.</summary>
internal sealed class ConsensusMembershipTable(Membership membership) : IMembershipTable
{
    /// <summary>Others that were faster, after which a cleaning is left to the next time.</summary>
    private const int MostCleaningTries = 5;

    public Task InitializeMembershipTableAsync(bool tryInitTableVersion, CancellationToken cancellationToken) =>
        membership.FormAsync(cancellationToken);

    /// <summary>Empties the table. The documents stay: they are what tells a lost one from a new one (S19).</summary>
    public async Task DeleteMembershipTableEntriesAsync(string clusterId, CancellationToken cancellationToken)
    {
        // Another cluster's rows are in another place.
        while (clusterId == membership.Cluster)
        {
            var read = await membership.ReadAsync(cancellationToken);
            if (read.Held is null
                || await membership.TryReplaceAsync(read, _ => MembershipRows.Empty, cancellationToken))
            {
                await ForgetAsync(read.Rows.Rows, cancellationToken);
                return;
            }
        }
    }

    public async Task CleanupDefunctSiloEntriesAsync(DateTimeOffset beforeDate, CancellationToken cancellationToken)
    {
        for (var tries = 0; tries < MostCleaningTries; tries++)
        {
            var read = await ReadAliveAsync(cancellationToken);
            var defunct = read.Rows.Rows.Where(row => IsDefunct(row.Entry, beforeDate)).ToList();
            if (defunct.Count == 0)
            {
                return;
            }

            var rest = new MembershipRows(read.Rows.Version + 1, [.. read.Rows.Rows.Except(defunct)]);
            if (await membership.TryReplaceAsync(read, _ => rest, cancellationToken))
            {
                await ForgetAsync(defunct, cancellationToken);
                return;
            }
        }
    }

    public async Task<MembershipTableData> ReadRowAsync(SiloAddress key, CancellationToken cancellationToken)
    {
        var read = await ReadAliveAsync(cancellationToken);
        return read.Rows.Find(key) is { } row
            ? new(Tuple.Create(row.Entry, row.ETag), read.Version)
            : new(read.Version);
    }

    public async Task<MembershipTableData> ReadAllAsync(CancellationToken cancellationToken)
    {
        var read = await ReadAliveAsync(cancellationToken);
        return new([.. read.Rows.Rows.Select(row => Tuple.Create(row.Entry, row.ETag))], read.Version);
    }

    public async Task<bool> InsertRowAsync(
        MembershipEntry entry, TableVersion tableVersion, CancellationToken cancellationToken)
    {
        var read = await membership.ReadAsync(cancellationToken);
        return read.ETag == tableVersion.VersionEtag
            && read.Rows.Find(entry.SiloAddress) is null
            && await ReplaceAsync(read, entry, tableVersion.Version, cancellationToken);
    }

    public async Task<bool> UpdateRowAsync(
        MembershipEntry entry, string etag, TableVersion tableVersion, CancellationToken cancellationToken)
    {
        var read = await membership.ReadAsync(cancellationToken);
        return read.ETag == tableVersion.VersionEtag
            && read.Rows.Find(entry.SiloAddress)?.ETag == etag
            && await ReplaceAsync(read, entry, tableVersion.Version, cancellationToken);
    }

    public Task UpdateIAmAliveAsync(MembershipEntry entry, CancellationToken cancellationToken) =>
        membership.Heartbeats.BeatAsync(entry.SiloAddress, entry.IAmAliveTime, cancellationToken);

    Task IMembershipTable.InitializeMembershipTable(bool tryInitTableVersion) =>
        InitializeMembershipTableAsync(tryInitTableVersion, CancellationToken.None);

    Task IMembershipTable.DeleteMembershipTableEntries(string clusterId) =>
        DeleteMembershipTableEntriesAsync(clusterId, CancellationToken.None);

    Task IMembershipTable.CleanupDefunctSiloEntries(DateTimeOffset beforeDate) =>
        CleanupDefunctSiloEntriesAsync(beforeDate, CancellationToken.None);

    Task<MembershipTableData> IMembershipTable.ReadRow(SiloAddress key) => ReadRowAsync(key, CancellationToken.None);

    Task<MembershipTableData> IMembershipTable.ReadAll() => ReadAllAsync(CancellationToken.None);

    Task<bool> IMembershipTable.InsertRow(MembershipEntry entry, TableVersion tableVersion) =>
        InsertRowAsync(entry, tableVersion, CancellationToken.None);

    Task<bool> IMembershipTable.UpdateRow(MembershipEntry entry, string etag, TableVersion tableVersion) =>
        UpdateRowAsync(entry, etag, tableVersion, CancellationToken.None);

    Task IMembershipTable.UpdateIAmAlive(MembershipEntry entry) => UpdateIAmAliveAsync(entry, CancellationToken.None);

    /// <summary>Not active, and silent for long, about itself and others about it: a vote is news of it, too.</summary>
    private static bool IsDefunct(MembershipEntry entry, DateTimeOffset before)
    {
        var last = Math.Max(entry.IAmAliveTime.Ticks, entry.StartTime.Ticks);
        foreach (var (_, vote) in entry.SuspectTimes ?? [])
        {
            last = Math.Max(last, vote.Ticks);
        }

        return entry.Status != SiloStatus.Active && last < before.UtcTicks;
    }

    private Task<bool> ReplaceAsync(
        ReadMembership read, MembershipEntry entry, int version, CancellationToken cancellationToken) =>
        membership.TryReplaceAsync(
            read, etag => read.Rows.With(new(entry, etag), version), cancellationToken);

    /// <summary>The table with the last heartbeats in it.</summary>
    private async Task<ReadMembership> ReadAliveAsync(CancellationToken cancellationToken)
    {
        var read = await membership.ReadAsync(cancellationToken);
        if (read.Rows.Rows.Count == 0)
        {
            return read;
        }

        var beats = await membership.Heartbeats.ReadAsync(cancellationToken);
        foreach (var row in read.Rows.Rows)
        {
            // The entries are this read's own.
            if (beats.TryGetValue(row.Entry.SiloAddress, out var last) && last > row.Entry.IAmAliveTime)
            {
                row.Entry.IAmAliveTime = last;
            }
        }

        return read;
    }

    private async Task ForgetAsync(IEnumerable<MembershipRow> rows, CancellationToken cancellationToken)
    {
        foreach (var row in rows)
        {
            await membership.Heartbeats.ForgetAsync(row.Entry.SiloAddress, cancellationToken);
        }
    }
}
