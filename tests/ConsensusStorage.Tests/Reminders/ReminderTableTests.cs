using Microsoft.Extensions.Time.Testing;
using Orleans.Consensus.Reminders;
using Orleans.Storage;

namespace Orleans.Consensus.Tests.Reminders;

/// <summary>The reminder table over a storage in memory that can fail.</summary>
public sealed class ReminderTableTests() : ReminderTableCases(ranges: 300), IAsyncLifetime
{
    private readonly MemoryGrainStorage _storage = new();

    public async ValueTask InitializeAsync()
    {
        // The tree has a root from now on.
        await Table.ReadRows(0, 0);
        _storage.Reads.Clear();
        _storage.Writes.Clear();
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Who_is_overtaken_begins_anew_and_gives_up_after_many_times()
    {
        var entry = Entry(NewGrain(), "name");
        _storage.Conflicts = 5;
        Assert.NotNull(await Table.UpsertRow(entry));
        _storage.Conflicts = 1000;
        await Assert.ThrowsAsync<InconsistentStateException>(() => Table.UpsertRow(entry));
        _storage.Conflicts = 0;
        Assert.NotNull(await Table.UpsertRow(entry));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_change_in_doubt_is_done_once(bool done)
    {
        var (entry, other) = (Entry(NewGrain(), "name"), NewTable());
        var gone = false;
        _storage.Doubt = (async () =>
        {
            // Whoever sees it may remove it: it must not come back.
            var row = await other.ReadRow(entry.GrainId, entry.ReminderName);
            gone = row is not null && await other.RemoveRow(entry.GrainId, entry.ReminderName, row.ETag!);
            await other.UpsertRow(Entry(entry.GrainId, "another"));
        }, done);

        var etag = await Table.UpsertRow(entry);

        Assert.Equal(done, gone);
        var read = await other.ReadRow(entry.GrainId, entry.ReminderName);
        Assert.Equal(done ? null : etag, read?.ETag);
        Assert.NotNull(await other.ReadRow(entry.GrainId, "another"));
    }

    [Fact]
    public async Task A_removal_in_doubt_that_was_done_is_one()
    {
        var (entry, other) = (Entry(NewGrain(), "name"), NewTable());
        var etag = await Table.UpsertRow(entry);
        _storage.Doubt = (() => other.UpsertRow(Entry(entry.GrainId, "another")), true);

        Assert.True(await Table.RemoveRow(entry.GrainId, entry.ReminderName, etag!));
        Assert.False(await Table.RemoveRow(entry.GrainId, entry.ReminderName, etag!));
    }

    [Fact]
    public async Task A_change_in_doubt_stays_so_without_a_quorum()
    {
        var entry = Entry(NewGrain(), "name");
        _storage.Doubt = (
            () =>
            {
                _storage.Failures = 1;
                return Task.CompletedTask;
            },
            true);

        await Assert.ThrowsAsync<ConsensusInDoubtStateException>(() => Table.UpsertRow(entry));
    }

    [Fact]
    public async Task A_change_in_doubt_that_too_many_came_after_stays_in_doubt()
    {
        var (entry, other) = (Entry(NewGrain(), "name"), NewTable());
        _storage.Doubt = (async () =>
        {
            for (var changes = 0; changes < 17; changes++)
            {
                await other.UpsertRow(Entry(entry.GrainId, "another"));
            }
        }, true);

        await Assert.ThrowsAsync<ConsensusInDoubtStateException>(() => Table.UpsertRow(entry));
    }

    [Theory]
    [InlineData(15, true)]
    [InlineData(16, null)]
    public void A_node_knows_the_last_sixteen_changes(int later, bool? known)
    {
        var before = ReminderNode.Empty.By("before");
        var others = Enumerable.Range(0, later).Select(number => $"{number}").ToList();

        var with = others.Aggregate(before.By("own"), (node, name) => node.By(name));
        Assert.Equal(known, with.HasSeen("own", before));
        var without = others.Aggregate(before, (node, name) => node.By(name));
        Assert.Equal(known is null ? null : false, without.HasSeen("own", before));
        Assert.True(ReminderNode.Empty.By("own").By("next").HasSeen("own", ReminderNode.Empty));
        Assert.False(ReminderNode.Empty.By("next").HasSeen("own", ReminderNode.Empty));
        Assert.Null(without.HasSeen("own", ReminderNode.Empty.By("forgotten")));
    }

    [Fact]
    public async Task A_change_after_a_change_reads_nothing_unless_somebody_else_has_changed_the_node()
    {
        var (entry, other) = (Entry(NewGrain(), "name"), NewTable());
        await Table.UpsertRow(entry);
        await Table.UpsertRow(entry);
        Assert.Single(_storage.Reads);

        var etag = await other.UpsertRow(entry);
        Assert.True(await Table.RemoveRow(entry.GrainId, entry.ReminderName, etag!));
        Assert.NotNull(await other.UpsertRow(entry));
        Assert.NotNull(await Table.UpsertRow(Entry(entry.GrainId, "another")));
        Assert.Equal(2, (await Table.ReadRows(entry.GrainId)).Reminders.Count);
    }

    [Fact]
    public async Task A_range_that_Orleans_waits_for_is_read_when_there_is_a_quorum_and_one_node_goes_first()
    {
        var time = new FakeTimeProvider();
        var entries = Enumerable.Range(0, 20).Select(_ => Entry(NewGrain(), "name")).ToList();
        await Task.WhenAll(entries.Select(Table.UpsertRow));
        _storage.Reads.Clear();
        var table = new ConsensusReminderTable(_storage, Settings, time, Random.Shared);
        using var stop = new CancellationTokenSource();
        _storage.Failures = 3;

        var reading = table.ReadRows(0, 0, stop.Token);
        while (!reading.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.Equal(entries.Count, (await reading).Reminders.Count);
        var root = ReminderNodeId.Root.ToGrainId();
        Assert.Equal([root, root, root, root], _storage.Reads.Take(4));
        Assert.DoesNotContain(root, _storage.Reads.Skip(4));
    }

    [Fact]
    public async Task A_silo_that_stops_waits_for_no_range()
    {
        using var stop = new CancellationTokenSource();
        _storage.Failures = int.MaxValue;

        var reading = Table.ReadRows(0, 0, stop.Token);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        await Assert.ThrowsAsync<ConsensusUnavailableException>(() => Table.ReadRows(0, 0));
        await Assert.ThrowsAsync<ConsensusUnavailableException>(() => Table.ReadRows(0, 0, CancellationToken.None));
    }

    [Fact]
    public async Task A_silo_that_stops_waits_for_no_read_either()
    {
        using var stop = new CancellationTokenSource();
        _storage.Delay = new TaskCompletionSource().Task;

        var reading = Table.ReadRows(0, 0, stop.Token);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
    }

    private protected override ConsensusReminderTable NewTable() =>
        new(_storage, Settings, TimeProvider.System, Random.Shared);
}
