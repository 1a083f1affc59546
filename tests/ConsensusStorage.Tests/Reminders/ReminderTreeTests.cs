using Orleans.Consensus.Reminders;
using Orleans.Runtime;
using Orleans.Storage;

namespace Orleans.Consensus.Tests.Reminders;

/// <summary>The tree behind the reminder table: what is where, what is read, and what is refused.</summary>
public sealed class ReminderTreeTests
{
    private readonly MemoryGrainStorage _storage = new();

    [Fact]
    public void The_places_of_reminders_are_frozen()
    {
        var key = ReminderKey.Of(GrainId.Create("type", "key"), "name");
        Assert.Equal("31945d3f19a244fd9465bf5142a63b29", key.Value.ToString("x32", null));
        var node = ReminderNodeId.Root.ChildFor(key).ChildFor(key).ChildFor(key);
        Assert.Equal("consensus.reminders/r030", node.ToGrainId().ToString());
    }

    [Fact]
    public void The_children_of_a_node_share_what_it_holds()
    {
        var node = ReminderNodeId.Root;
        var random = new Random(1);
        for (var depth = 0; depth < ReminderNodeId.Deepest; depth++)
        {
            var children = node.AllChildren().ToList();
            Assert.Equal(children.Count, children.DistinctBy(child => child.ToString()).Count());
            Assert.Equal(node.First, children[0].First);
            Assert.Equal((node.FirstHash, node.LastHash), (children[0].FirstHash, children[^1].LastHash));
            Assert.All(children, child =>
            {
                var key = new ReminderKey(child.First);
                Assert.Equal(node, child.Parent);
                Assert.Equal(child, node.ChildFor(key));
                Assert.Single(children, other => other.Holds(key));
                Assert.True(node.Holds(key));
            });
            node = random.GetItems<ReminderNodeId>([.. children], 1)[0];
        }

        Assert.Equal(ReminderNodeId.Deepest + 1, node.ToString().Length);
        Assert.Equal(node.FirstHash, node.LastHash);
    }

    [Theory]
    [InlineData(0u, uint.MaxValue)]
    [InlineData(5u, 5u)]
    [InlineData(0u, 1u)]
    [InlineData((1u << 30) - 1, 1u << 30)]
    [InlineData(1u << 30, (1u << 30) + 1)]
    [InlineData(uint.MaxValue, 10u)]
    [InlineData(3u << 30, 0u)]
    public void A_range_overlaps_a_node_if_it_covers_a_hash_of_it(uint begin, uint end)
    {
        var range = new ReminderRange(begin, end);
        foreach (var node in ReminderNodeId.Root.AllChildren().SelectMany(child => child.AllChildren()))
        {
            uint[] hashes = [node.FirstHash, node.LastHash, begin, unchecked(begin + 1), end];
            var covers = hashes.Any(hash => hash >= node.FirstHash && hash <= node.LastHash && range.Covers(hash));
            Assert.Equal(covers, range.Overlaps(node));
        }
    }

    [Fact]
    public async Task A_start_with_one_reminder_reads_one_register_for_each_range()
    {
        await New().UpsertRow(Entry("0", "name"));
        _storage.Reads.Clear();

        var table = New();
        Assert.Single((await table.ReadRows(0, 0)).Reminders);
        Assert.Single((await table.ReadRows(0, 0, CancellationToken.None)).Reminders);
        await table.ReadRows(7, 1u << 31, CancellationToken.None);
        Assert.Equal(3, _storage.Reads.Count);
        await table.UpsertRow(Entry("0", "name"));
        Assert.Equal(4, _storage.Reads.Count);
    }

    [Fact]
    public async Task A_range_reads_the_nodes_that_it_needs_and_each_once()
    {
        await Task.WhenAll(Enumerable.Range(0, 2000).Select(number => New().UpsertRow(Entry($"{number}", "name"))));
        var table = New();
        _storage.Reads.Clear();
        Assert.Equal(2000, (await table.ReadRows(0, 0)).Reminders.Count);
        var first = _storage.Reads.ToList();
        Assert.Equal(first.Count, first.Distinct().Count());

        _storage.Reads.Clear();
        var part = (await table.ReadRows(5, (1u << 26) + 5)).Reminders.Count;
        Assert.InRange(part, 1, 2000 / 16);
        Assert.InRange(_storage.Reads.Count, 1, first.Count / 16);
    }

    [Fact]
    public async Task A_tree_without_a_root_is_given_one_after_a_single_look_for_buckets_of_a_former_version()
    {
        var table = New();
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => table.ReadRows(0, 0)));
        Assert.Equal(256, _storage.Reads.Distinct().Count() - 1);
        Assert.Equal(256, _storage.Reads.Count(id => id != ReminderNodeId.Root.ToGrainId()));

        _storage.Reads.Clear();
        await New().ReadRows(0, 0);
        Assert.Single(_storage.Reads);
    }

    [Fact]
    public async Task Buckets_of_a_former_version_are_refused_by_name_and_nothing_is_written()
    {
        var bucket = new GrainState<ReminderBucket>(new());
        await _storage.WriteStateAsync("reminders", GrainId.Create("consensus.reminders", "117"), bucket);
        _storage.Writes.Clear();
        await AssertRefusedAsync("ReminderBucket", "bucket 117");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task A_node_in_another_format_is_refused_by_name_and_nothing_is_written(int format)
    {
        var node = new GrainState<ReminderNode>(ReminderNode.Empty with { Format = format });
        await _storage.WriteStateAsync("reminders", ReminderNodeId.Root.ToGrainId(), node);
        _storage.Writes.Clear();
        await AssertRefusedAsync("Node r ", $"format {format}");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_change_in_doubt_is_done_once_although_its_node_was_split_meanwhile(bool done)
    {
        var (table, other, entry) = (New(), New(), Entry("0", "name"));
        await table.ReadRows(0, 0);
        _storage.Doubt = (async () =>
        {
            if (done)
            {
                var row = await other.ReadRow(entry.GrainId, entry.ReminderName);
                Assert.True(await other.RemoveRow(entry.GrainId, entry.ReminderName, row!.ETag!));
            }

            for (var number = 0; number < 4; number++)
            {
                await other.UpsertRow(Entry("0", $"{number}"));
            }

            // Another call of the same silo learns of the split.
            await table.ReadRows(0, 0);
        }, done);

        var etag = await table.UpsertRow(entry);

        var read = await other.ReadRow(entry.GrainId, entry.ReminderName);
        Assert.Equal(done ? null : etag, read?.ETag);
        Assert.Equal(done ? 4 : 5, (await New().ReadRows(entry.GrainId)).Reminders.Count);
    }

    [Fact]
    public async Task A_change_over_a_leaf_that_another_silo_has_split_goes_to_the_child()
    {
        var (table, other) = (New(), New());
        var etag = await table.UpsertRow(Entry("0", "own"));
        foreach (var number in Enumerable.Range(0, 10))
        {
            await other.UpsertRow(Entry($"{number}", "other"));
        }

        Assert.True(await table.RemoveRow(Entry("0", "own").GrainId, "own", etag!));
        await table.UpsertRow(Entry("0", "second"));
        Assert.Equal(11, (await other.ReadRows(0, 0)).Reminders.Count);
        Assert.Equal(11, (await New().ReadRows(0, 0)).Reminders.Count);
    }

    [Fact]
    public async Task A_reminder_with_a_long_name_is_a_node_of_its_own()
    {
        var table = New(mostRows: 24);
        var names = Enumerable.Range(0, 10).Select(number => new string((char)('a' + number), 20_000)).ToList();
        foreach (var name in names)
        {
            await table.UpsertRow(Entry("0", name));
        }

        _storage.Reads.Clear();
        Assert.Equal(names, (await New().ReadRows(0, 0)).Reminders.Select(row => row.ReminderName).Order());
        Assert.InRange(_storage.Reads.Count, 11, 100);
    }

    private async Task AssertRefusedAsync(params string[] texts)
    {
        var (table, entry) = (New(), Entry("0", "name"));
        foreach (var call in new Func<Task>[]
        {
            () => table.UpsertRow(entry),
            () => table.RemoveRow(entry.GrainId, "name", "etag"),
            () => table.ReadRow(entry.GrainId, "name"),
            () => table.ReadRows(entry.GrainId),
            () => table.ReadRows(0, 0),
            () => table.ReadRows(0, 0, new CancellationTokenSource().Token),
            () => table.TestOnlyClearTable(),
        })
        {
            var exception = await Assert.ThrowsAsync<ConsensusStorageException>(call);
            Assert.All(texts, text => Assert.Contains(text, exception.Message, StringComparison.Ordinal));
        }

        Assert.Empty(_storage.Writes);
    }

    private ConsensusReminderTable New(int mostRows = 3) =>
        new(_storage, new() { MostRows = mostRows }, TimeProvider.System, Random.Shared);

    private static ReminderEntry Entry(string grain, string name) => new()
    {
        GrainId = GrainId.Create("remindable", grain),
        ReminderName = name,
        StartAt = new(2030, 1, 2, 3, 4, 5, DateTimeKind.Utc),
        Period = TimeSpan.FromMinutes(1),
    };
}
