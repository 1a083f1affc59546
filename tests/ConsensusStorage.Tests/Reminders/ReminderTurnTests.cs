using Microsoft.Extensions.Time.Testing;
using Orleans.Consensus.Reminders;
using Orleans.Runtime;

namespace Orleans.Consensus.Tests.Reminders;

/// <summary>Changes of reminders that wait for one another, and whose callers don't wait for ever.</summary>
public sealed class ReminderTurnTests
{
    private static readonly GrainId Grain = GrainId.Create("type", "key");
    private static readonly ReminderSettings Settings = new() { FormerBuckets = 0 };

    private readonly MemoryGrainStorage _storage = new();
    private readonly FakeTimeProvider _time = new();
    private readonly TaskCompletionSource _written = new();
    private readonly ConsensusReminderTable _table;

    public ReminderTurnTests() => _table = new(_storage, Settings, _time, Random.Shared);

    [Fact]
    public async Task A_change_that_waits_for_its_turn_gives_up_after_the_request_timeout_and_is_never_made()
    {
        var first = await BeginAsync("first");
        var second = _table.UpsertRow(Entry("second"));
        _time.Advance(Settings.RequestTimeout - TimeSpan.FromMilliseconds(1));
        Assert.False(second.IsCompleted);

        _time.Advance(TimeSpan.FromMilliseconds(1));
        var exception = await Assert.ThrowsAsync<ConsensusUnavailableException>(() => second);
        Assert.Contains("not changed", exception.Message, StringComparison.Ordinal);
        await AssertOnlyAsync("first", first);
    }

    [Fact]
    public async Task A_change_whose_caller_gives_up_while_it_waits_for_its_turn_is_never_made()
    {
        var first = await BeginAsync("first");
        using var stop = new CancellationTokenSource();
        var second = _table.UpsertRow(Entry("second"), stop.Token);
        var removal = _table.RemoveRow(Grain, "first", "any", stop.Token);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => removal);
        await AssertOnlyAsync("first", first);
    }

    [Fact]
    public async Task Changes_come_in_the_order_in_which_they_began()
    {
        var first = await BeginAsync("first");
        var others = Enumerable.Range(0, 5).Select(number => _table.UpsertRow(Entry($"{number}"))).ToList();
        _written.SetResult();
        await Task.WhenAll([first, .. others]);

        var rows = (await _table.ReadRows(Grain)).Reminders;
        Assert.Equal(["first", "0", "1", "2", "3", "4"], rows.Select(row => row.ReminderName));
    }

    /// <summary>A change that is being written until <see cref="_written"/>.</summary>
    private async Task<Task<string?>> BeginAsync(string name)
    {
        await _table.ReadRows(Grain);
        _storage.Writes.Clear();
        _storage.WriteDelay = _written.Task;
        var change = _table.UpsertRow(Entry(name));
        while (_storage.Writes.IsEmpty)
        {
            await Task.Yield();
        }

        return change;
    }

    private async Task AssertOnlyAsync(string name, Task change)
    {
        _written.SetResult();
        await change;
        await _table.UpsertRow(Entry("last"));
        var rows = (await _table.ReadRows(Grain)).Reminders;
        Assert.Equal([name, "last"], rows.Select(row => row.ReminderName));
    }

    private static ReminderEntry Entry(string name) => new()
    {
        GrainId = Grain,
        ReminderName = name,
        StartAt = new(2030, 1, 2, 3, 4, 5, DateTimeKind.Utc),
        Period = TimeSpan.FromMinutes(1),
    };
}
