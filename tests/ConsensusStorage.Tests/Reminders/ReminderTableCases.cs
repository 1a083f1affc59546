using System.Globalization;
using System.Text;
using Orleans.Consensus.Reminders;
using Orleans.Runtime;

namespace Orleans.Consensus.Tests.Reminders;

/// <summary>What Orleans demands of every reminder table, restated. The table is empty when a case begins.</summary>
/// <param name="ranges">How many to read.</param>
public abstract class ReminderTableCases(int ranges)
{
    private ConsensusReminderTable? _table;

    private protected ConsensusReminderTable Table => _table ??= NewTable();

    /// <summary>Small nodes, so that a few reminders make a deep tree.</summary>
    private protected static ReminderSettings Settings { get; } = new() { MostRows = 3, FormerBuckets = 4 };

    [Fact]
    public async Task A_reminder_comes_back_as_it_was_written()
    {
        var entry = Entry(NewGrain(), "foo/bar\\#b_a_z?");
        var etag = await Table.UpsertRow(entry);

        var read = await Table.ReadRow(entry.GrainId, entry.ReminderName);
        Assert.NotNull(etag);
        Assert.Equal(
            (entry.GrainId, entry.ReminderName, entry.StartAt, entry.Period, etag),
            (read!.GrainId, read.ReminderName, read.StartAt, read.Period, read.ETag));
        Assert.Null(await Table.ReadRow(entry.GrainId, "other"));
        Assert.Null(await Table.ReadRow(NewGrain(), entry.ReminderName));
    }

    [Fact]
    public async Task A_reminder_is_removed_over_its_etag_only()
    {
        var entry = Entry(NewGrain(), "name");
        var old = await Table.UpsertRow(entry);
        var etag = await Table.UpsertRow(entry);
        Assert.NotEqual(old, etag);

        Assert.False(await Table.RemoveRow(entry.GrainId, entry.ReminderName, old!));
        Assert.False(await Table.RemoveRow(entry.GrainId, "other", etag!));
        Assert.False(await Table.RemoveRow(NewGrain(), entry.ReminderName, etag!));
        Assert.True(await Table.RemoveRow(entry.GrainId, entry.ReminderName, etag!));
        Assert.False(await Table.RemoveRow(entry.GrainId, entry.ReminderName, etag!));
        Assert.Null(await Table.ReadRow(entry.GrainId, entry.ReminderName));
    }

    [Fact]
    public async Task A_grain_has_the_reminders_that_it_has()
    {
        var grain = NewGrain();
        await Table.UpsertRow(Entry(grain, "one"));
        await Table.UpsertRow(Entry(grain, "two"));
        await Table.UpsertRow(Entry(NewGrain(), "one"));
        var rows = await Table.ReadRows(grain);
        Assert.Equal(["one", "two"], NamesOf(rows.Reminders));
        Assert.Empty((await Table.ReadRows(NewGrain())).Reminders);
    }

    [Fact]
    public async Task Changes_at_once_are_all_done_and_each_has_an_etag_of_its_own()
    {
        var other = NewTable();
        var grains = Enumerable.Range(0, 5).Select(_ => NewGrain()).ToList();
        var etags = await Task.WhenAll(grains.SelectMany(grain => Enumerable.Range(0, 10).Select(
            number => (number % 2 == 0 ? Table : other).UpsertRow(Entry(grain, $"{number / 2}")))));
        Assert.Equal(50, etags.Distinct().Count());
        Assert.Equal(25, (await Table.ReadRows(0, uint.MaxValue)).Reminders.Count);
    }

    [Fact]
    public async Task A_range_is_open_where_it_begins_and_may_go_around()
    {
        var entries = Enumerable.Range(0, 500).Select(_ => Entry(NewGrain(), "name")).ToList();
        await Task.WhenAll(entries.Select(Table.UpsertRow));
        Assert.Equal(entries.Count, (await Table.ReadRows(0, uint.MaxValue)).Reminders.Count);
        Assert.Equal(entries.Count, (await Table.ReadRows(0, 0)).Reminders.Count);
        Assert.Equal(entries.Count, (await Table.ReadRows(7, 7)).Reminders.Count);
        var random = new Random(1);
        var ends = entries.Select(entry => entry.GrainId.GetUniformHashCode())
            .Concat(Enumerable.Range(0, 100).Select(_ => (uint)random.NextInt64(uint.MaxValue)))
            .Concat([0u, uint.MaxValue, (1u << 24) - 1, 1u << 24]).ToArray();
        for (var i = 0; i < ranges; i++)
        {
            var (begin, end) = (random.GetItems(ends, 1)[0], random.GetItems(ends, 1)[0]);
            var expected = entries.Select(entry => entry.GrainId).Where(grain => Covers(begin, end, grain));
            var rows = await Table.ReadRows(begin, end);
            Assert.Equal(
                expected.Select(grain => grain.ToString()).Order(StringComparer.Ordinal),
                rows.Reminders.Select(row => row.GrainId.ToString()).Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public async Task Reminders_of_one_grain_are_changed_from_two_silos_while_their_nodes_split()
    {
        var (grain, other) = (NewGrain(), NewTable());
        var names = Enumerable.Range(0, 60).Select(number => $"{number}").ToList();
        await Task.WhenAll(names.Select(async name =>
        {
            var (one, two) = int.Parse(name, CultureInfo.InvariantCulture) % 2 == 0 ? (Table, other) : (other, Table);
            var etag = await one.UpsertRow(Entry(grain, name));
            if (name.EndsWith('7'))
            {
                Assert.False(await two.RemoveRow(grain, name, "another"));
                Assert.True(await two.RemoveRow(grain, name, etag!));
            }
        }));

        var left = names.Where(name => !name.EndsWith('7')).Order(StringComparer.Ordinal).ToList();
        foreach (var table in new[] { Table, other, NewTable() })
        {
            Assert.Equal(left, NamesOf((await table.ReadRows(grain)).Reminders));
            Assert.Equal(left, NamesOf((await table.ReadRows(0, 0)).Reminders));
            Assert.NotNull(await table.ReadRow(grain, left[0]));
            Assert.Null(await table.ReadRow(grain, "7"));
        }
    }

    [Fact]
    public async Task ATable_that_is_cleared_is_empty()
    {
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Table.UpsertRow(Entry(NewGrain(), "name"))));
        await Table.TestOnlyClearTable();
        Assert.Empty((await Table.ReadRows(0, 0)).Reminders);
    }

    private protected static GrainId NewGrain() => GrainId.Create(
        GrainType.Create("remindable"), new IdSpan(Encoding.UTF8.GetBytes($"{Guid.NewGuid()}+foo/bar\\#baz?")));

    private protected static ReminderEntry Entry(GrainId grain, string name) => new()
    {
        GrainId = grain,
        ReminderName = name,
        StartAt = new(2030, 1, 2, 3, 4, 5, DateTimeKind.Utc),
        Period = TimeSpan.FromMinutes(1),
    };

    private protected static IEnumerable<string> NamesOf(IEnumerable<ReminderEntry> rows) =>
        rows.Select(row => row.ReminderName).Order(StringComparer.Ordinal);

    /// <summary>Another silo's.</summary>
    private protected abstract ConsensusReminderTable NewTable();

    private static bool Covers(uint begin, uint end, GrainId grain)
    {
        var hash = grain.GetUniformHashCode();
        return begin < end ? hash > begin && hash <= end : hash > begin || hash <= end;
    }
}
