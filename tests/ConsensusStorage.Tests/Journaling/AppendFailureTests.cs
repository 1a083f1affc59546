using Orleans.Consensus.Journaling;
using Orleans.Consensus.Journaling.Files;

namespace Orleans.Consensus.Tests.Journaling;

/// <summary>What an append does when it can't succeed, and what the journal is good for afterwards.</summary>
public sealed class AppendFailureTests
{
    private readonly FaultyFiles _files = new(new Random(1));
    private readonly TestLog _log;

    public AppendFailureTests()
    {
        _log = new(_files);
    }

    [Fact]
    public async Task A_full_disk_does_not_keep_a_log_from_being_opened()
    {
        await _log.ReplayAsync();
        _files.Room = _files.BytesUsed;
        await using var journal = await _log.OpenAsync();
        await TestLog.AppendAsync(journal, TestLog.Bytes(1, 100));
    }

    [Fact]
    public async Task A_batch_above_the_limit_is_refused_and_the_journal_goes_on()
    {
        var log = new TestLog(_files) { Options = TestLog.SmallSegments with { MaxBatchBytes = 1000 } };
        await using var journal = await log.OpenAsync();
        await Assert.ThrowsAsync<JournalFullException>(() => TestLog.AppendAsync(journal, new byte[1000]));
        await TestLog.AppendAsync(journal, new byte[990]);
    }

    [Fact]
    public async Task After_a_failed_append_every_further_one_fails_at_once()
    {
        await using var journal = await _log.OpenAsync();
        _files.Plan = operation => new(FileFault.Fail);
        await Assert.ThrowsAsync<JournalLostException>(() => TestLog.AppendAsync(journal, new byte[10]));
        _files.Plan = null;

        var operations = _files.Operations;
        await Assert.ThrowsAsync<JournalLostException>(() => TestLog.AppendAsync(journal, new byte[10]));
        Assert.Equal(operations, _files.Operations);
    }

    [Fact]
    public async Task A_closed_journal_refuses_appends_and_reads()
    {
        var journal = await _log.OpenAsync();
        var record = Assert.Single(await TestLog.AppendAsync(journal, new byte[10]));
        await journal.DisposeAsync();
        await journal.DisposeAsync();

        await Assert.ThrowsAsync<JournalLostException>(() => TestLog.AppendAsync(journal, new byte[10]));
        await Assert.ThrowsAsync<JournalLostException>(
            async () => await journal.ReadAsync(record.Position, 10, CancellationToken.None));
    }

    [Fact]
    public async Task Only_one_append_is_taken_at_a_time_and_reads_go_on_during_it()
    {
        await using var journal = await _log.OpenAsync();
        var record = Assert.Single(await TestLog.AppendAsync(journal, TestLog.Bytes(1, 10)));
        var flushed = new TaskCompletionSource<FileFault>();
        _files.Plan = operation => operation.Action == FileAction.WriteAndFlush
            ? new(flushed.Task)
            : new(FileFault.None);

        var first = TestLog.AppendAsync(journal, TestLog.Bytes(2, 10));
        await Assert.ThrowsAsync<InvalidOperationException>(() => TestLog.AppendAsync(journal, new byte[10]));
        var read = await journal.ReadAsync(record.Position, 10, CancellationToken.None);
        Assert.Equal(record.Bytes, read.ToArray());
        Assert.False(first.IsCompleted);

        flushed.SetResult(FileFault.None);
        await first;
        await TestLog.AppendAsync(journal, TestLog.Bytes(3, 10));
    }

    [Fact]
    public async Task An_append_does_not_wait_for_the_segment_that_is_created_ahead()
    {
        var created = new TaskCompletionSource<FileFault>();
        _files.Plan = operation => operation.Path.Contains("segment-00000002", StringComparison.Ordinal)
            ? new(created.Task)
            : new(FileFault.None);
        await using var journal = await _log.OpenAsync();
        await TestLog.AppendAsync(journal, TestLog.Bytes(1, 1000));
        await TestLog.AppendAsync(journal, TestLog.Bytes(2, 900));

        var rolling = TestLog.AppendAsync(journal, TestLog.Bytes(3, 900));
        Assert.False(rolling.IsCompleted);
        created.SetResult(FileFault.None);
        Assert.Equal(2, (await rolling)[0].Position.Segment);
    }

    [Fact]
    public async Task A_cancelled_append_that_has_not_begun_writes_nothing()
    {
        await using var journal = await _log.OpenAsync();
        var operations = _files.Operations;
        await Assert.ThrowsAsync<OperationCanceledException>(
            async () => await journal.AppendAsync(new JournalBatch(), new CancellationToken(canceled: true)));
        Assert.Equal(operations, _files.Operations);
        await TestLog.AppendAsync(journal, TestLog.Bytes(3, 10));
    }

    [Fact]
    public async Task An_idle_journal_does_nothing()
    {
        await using var journal = await _log.OpenAsync();
        var operations = _files.Operations;
        _log.Time.Advance(TimeSpan.FromDays(1));
        Assert.Equal(operations, _files.Operations);
    }

    [Fact]
    public async Task A_log_in_memory_takes_memory_only_for_what_was_written()
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var log = new TestLog(new MemoryFiles())
        {
            Options = new() { FirstSegmentBytes = 64 << 20, SegmentBytes = 64 << 20 },
        };
        await using var journal = await log.OpenAsync();
        await TestLog.AppendAsync(journal, TestLog.Bytes(3, 10));
        var taken = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.True(taken < 16 << 20, $"{taken}");
    }
}
