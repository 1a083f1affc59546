using Microsoft.Extensions.Time.Testing;
using Orleans.Consensus.Reminders;
using Orleans.Storage;

namespace Orleans.Consensus.Tests.Reminders;

/// <summary>The reminder table over a storage in memory that can fail.</summary>
public sealed class ReminderTableTests() : ReminderTableCases(ranges: 300)
{
    private readonly MemoryGrainStorage _storage = new();

    [Theory]
    [InlineData(0u, uint.MaxValue, 256)]
    [InlineData(0u, 0u, 256)]
    [InlineData(5u, 5u, 256)]
    [InlineData(0u, 1u, 1)]
    [InlineData((1u << 24) - 1, 1u << 24, 1)]
    [InlineData(1u << 24, (1u << 24) + 1, 1)]
    [InlineData(1u << 24, 3u << 24, 3)]
    [InlineData(uint.MaxValue, 10u, 1)]
    [InlineData(255u << 24, 0u, 2)]
    public async Task A_range_touches_the_buckets_that_it_needs_and_each_once(uint begin, uint end, int buckets)
    {
        await Table.ReadRows(begin, end);
        Assert.Equal(buckets, _storage.Reads.Count);
        Assert.Equal(buckets, _storage.Reads.Distinct().Count());
    }

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
    public void A_bucket_knows_the_last_sixteen_changes(int later, bool? known)
    {
        var before = ReminderBucket.Empty.By("before");
        var others = Enumerable.Range(0, later).Select(number => $"{number}").ToList();

        var with = others.Aggregate(before.By("own"), (bucket, name) => bucket.By(name));
        Assert.Equal(known, with.HasSeen("own", before));
        var without = others.Aggregate(before, (bucket, name) => bucket.By(name));
        Assert.Equal(known is null ? null : false, without.HasSeen("own", before));
    }

    [Fact]
    public void What_a_silo_that_knows_no_names_has_written_tells_nothing()
    {
        var before = ReminderBucket.Empty.By("before");
        var forgot = before.By("own") with { Last = null };
        var old = new ReminderBucket([], null);

        Assert.Null(forgot.HasSeen("own", before));
        Assert.Null(forgot.By("next").HasSeen("own", before));
        Assert.Null(forgot.By("next").HasSeen("own", ReminderBucket.Empty));
        Assert.Null(old.By("next").HasSeen("own", old));
        Assert.True(old.By("own").By("next").HasSeen("own", old));
        Assert.False(ReminderBucket.Empty.By("next").HasSeen("own", ReminderBucket.Empty));
        Assert.False(ReminderBucket.Empty.HasSeen("own", ReminderBucket.Empty));
    }

    [Fact]
    public async Task A_change_after_a_change_reads_nothing_unless_somebody_else_has_changed_the_bucket()
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
    public async Task A_range_that_Orleans_waits_for_is_read_when_there_is_a_quorum_and_one_bucket_goes_first()
    {
        var time = new FakeTimeProvider();
        var table = new ConsensusReminderTable(_storage, time, Random.Shared);
        using var stop = new CancellationTokenSource();
        _storage.Failures = 3;

        var reading = table.ReadRows(0, 0, stop.Token);
        while (!reading.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.Empty((await reading).Reminders);
        Assert.Equal(3 + 1 + ConsensusReminderTable.Buckets, _storage.Reads.Count);
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

    private protected override ConsensusReminderTable NewTable() => new(_storage, TimeProvider.System, Random.Shared);
}
