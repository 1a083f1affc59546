using System.Text;
using Microsoft.Extensions.Time.Testing;
using Orleans.Consensus.Reminders;
using Orleans.Runtime;
using Orleans.Storage;

namespace Orleans.Consensus.Tests.Reminders;

/// <summary>What Orleans demands of every reminder table, restated.</summary>
public sealed class ReminderTableTests
{
    private readonly MemoryGrainStorage _storage = new();
    private readonly ConsensusReminderTable _table;

    public ReminderTableTests() => _table = NewTable();

    [Fact]
    public async Task A_reminder_comes_back_as_it_was_written()
    {
        var entry = Entry(NewGrain(), "foo/bar\\#b_a_z?");
        var etag = await _table.UpsertRow(entry);

        var read = await _table.ReadRow(entry.GrainId, entry.ReminderName);
        Assert.NotNull(etag);
        Assert.Equal(
            (entry.GrainId, entry.ReminderName, entry.StartAt, entry.Period, etag),
            (read!.GrainId, read.ReminderName, read.StartAt, read.Period, read.ETag));
        Assert.Null(await _table.ReadRow(entry.GrainId, "other"));
        Assert.Null(await _table.ReadRow(NewGrain(), entry.ReminderName));
    }

    [Fact]
    public async Task A_reminder_is_removed_over_its_etag_only()
    {
        var entry = Entry(NewGrain(), "name");
        var old = await _table.UpsertRow(entry);
        var etag = await _table.UpsertRow(entry);
        Assert.NotEqual(old, etag);

        Assert.False(await _table.RemoveRow(entry.GrainId, entry.ReminderName, old!));
        Assert.False(await _table.RemoveRow(entry.GrainId, "other", etag!));
        Assert.False(await _table.RemoveRow(NewGrain(), entry.ReminderName, etag!));
        Assert.True(await _table.RemoveRow(entry.GrainId, entry.ReminderName, etag!));
        Assert.False(await _table.RemoveRow(entry.GrainId, entry.ReminderName, etag!));
        Assert.Null(await _table.ReadRow(entry.GrainId, entry.ReminderName));
    }

    [Fact]
    public async Task A_grain_has_the_reminders_that_it_has()
    {
        var grain = NewGrain();
        await _table.UpsertRow(Entry(grain, "one"));
        await _table.UpsertRow(Entry(grain, "two"));
        await _table.UpsertRow(Entry(NewGrain(), "one"));
        var rows = await _table.ReadRows(grain);
        Assert.Equal(["one", "two"], rows.Reminders.Select(row => row.ReminderName).Order(StringComparer.Ordinal));
        Assert.Empty((await _table.ReadRows(NewGrain())).Reminders);
    }

    [Fact]
    public async Task Changes_at_once_are_all_done_and_each_has_an_etag_of_its_own()
    {
        var other = NewTable();
        var grains = Enumerable.Range(0, 5).Select(_ => NewGrain()).ToList();
        var etags = await Task.WhenAll(grains.SelectMany(grain => Enumerable.Range(0, 10).Select(
            number => (number % 2 == 0 ? _table : other).UpsertRow(Entry(grain, $"{number / 2}")))));
        Assert.Equal(50, etags.Distinct().Count());
        Assert.Equal(25, (await _table.ReadRows(0, uint.MaxValue)).Reminders.Count);
    }

    [Fact]
    public async Task A_range_is_open_where_it_begins_and_may_go_around()
    {
        var entries = Enumerable.Range(0, 500).Select(_ => Entry(NewGrain(), "name")).ToList();
        await Task.WhenAll(entries.Select(_table.UpsertRow));
        Assert.Equal(entries.Count, (await _table.ReadRows(0, uint.MaxValue)).Reminders.Count);
        Assert.Equal(entries.Count, (await _table.ReadRows(0, 0)).Reminders.Count);
        Assert.Equal(entries.Count, (await _table.ReadRows(7, 7)).Reminders.Count);
        var random = new Random(1);
        var ends = entries.Select(entry => entry.GrainId.GetUniformHashCode())
            .Concat(Enumerable.Range(0, 100).Select(_ => (uint)random.NextInt64(uint.MaxValue)))
            .Concat([0u, uint.MaxValue, (1u << 24) - 1, 1u << 24]).ToArray();
        for (var i = 0; i < 300; i++)
        {
            var (begin, end) = (random.GetItems(ends, 1)[0], random.GetItems(ends, 1)[0]);
            var expected = entries.Select(entry => entry.GrainId).Where(grain => Covers(begin, end, grain));
            var rows = await _table.ReadRows(begin, end);
            Assert.Equal(
                expected.Select(grain => grain.ToString()).Order(StringComparer.Ordinal),
                rows.Reminders.Select(row => row.GrainId.ToString()).Order(StringComparer.Ordinal));
        }
    }

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
        await _table.ReadRows(begin, end);
        Assert.Equal(buckets, _storage.Reads.Count);
        Assert.Equal(buckets, _storage.Reads.Distinct().Count());
    }

    [Fact]
    public async Task Who_is_overtaken_begins_anew_and_gives_up_after_many_times()
    {
        var entry = Entry(NewGrain(), "name");
        _storage.Conflicts = 5;
        Assert.NotNull(await _table.UpsertRow(entry));
        _storage.Conflicts = 1000;
        await Assert.ThrowsAsync<InconsistentStateException>(() => _table.UpsertRow(entry));
        _storage.Conflicts = 0;
        Assert.NotNull(await _table.UpsertRow(entry));
    }

    [Fact]
    public async Task A_change_after_a_change_reads_nothing_unless_somebody_else_has_changed_the_bucket()
    {
        var (entry, other) = (Entry(NewGrain(), "name"), NewTable());
        await _table.UpsertRow(entry);
        await _table.UpsertRow(entry);
        Assert.Single(_storage.Reads);

        var etag = await other.UpsertRow(entry);
        Assert.True(await _table.RemoveRow(entry.GrainId, entry.ReminderName, etag!));
        Assert.NotNull(await other.UpsertRow(entry));
        Assert.NotNull(await _table.UpsertRow(Entry(entry.GrainId, "another")));
        Assert.Equal(2, (await _table.ReadRows(entry.GrainId)).Reminders.Count);
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

        var reading = _table.ReadRows(0, 0, stop.Token);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        await Assert.ThrowsAsync<ConsensusUnavailableException>(() => _table.ReadRows(0, 0));
        await Assert.ThrowsAsync<ConsensusUnavailableException>(() => _table.ReadRows(0, 0, CancellationToken.None));
    }

    [Fact]
    public async Task A_silo_that_stops_waits_for_no_read_either()
    {
        using var stop = new CancellationTokenSource();
        _storage.Delay = new TaskCompletionSource().Task;

        var reading = _table.ReadRows(0, 0, stop.Token);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
    }

    [Fact]
    public async Task A_table_that_is_cleared_is_empty()
    {
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => _table.UpsertRow(Entry(NewGrain(), "name"))));
        await _table.TestOnlyClearTable();
        Assert.Empty((await _table.ReadRows(0, 0)).Reminders);
    }

    private static bool Covers(uint begin, uint end, GrainId grain)
    {
        var hash = grain.GetUniformHashCode();
        return begin < end ? hash > begin && hash <= end : hash > begin || hash <= end;
    }

    private static GrainId NewGrain() => GrainId.Create(
        GrainType.Create("remindable"), new IdSpan(Encoding.UTF8.GetBytes($"{Guid.NewGuid()}+foo/bar\\#baz?")));

    private static ReminderEntry Entry(GrainId grain, string name) => new()
    {
        GrainId = grain,
        ReminderName = name,
        StartAt = new(2030, 1, 2, 3, 4, 5, DateTimeKind.Utc),
        Period = TimeSpan.FromMinutes(1),
    };

    private ConsensusReminderTable NewTable() => new(_storage, TimeProvider.System, Random.Shared);
}
