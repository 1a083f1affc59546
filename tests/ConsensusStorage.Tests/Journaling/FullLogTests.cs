using Orleans.Consensus.Journaling;

namespace Orleans.Consensus.Tests.Journaling;

/// <summary>What an open log does on a full disk, and when there is room again.</summary>
public sealed class FullLogTests
{
    private readonly SimulatedScheduler _scheduler = new();
    private readonly FaultyFiles _files = new(new Random(1));
    private readonly TestLog _log;
    private int _tries;

    public FullLogTests()
    {
        _log = new(_files) { Clock = _scheduler.Time };
        _files.Plan = operation =>
        {
            _tries += operation.Action == FileAction.Create ? 1 : 0;
            return new(FileFault.None);
        };
    }

    [Fact]
    public void A_full_disk_refuses_the_batch_and_the_journal_goes_on_once_there_is_room() =>
        _scheduler.Run(async () =>
        {
            var appended = new List<TestRecord>();
            await using var journal = await _log.OpenAsync();
            _files.Room = _files.BytesUsed;
            var full = 0;
            for (var i = 0; i < 60; i++)
            {
                var bytes = journal.Bytes;
                try
                {
                    appended.AddRange(await TestLog.AppendAsync(journal, TestLog.Bytes(i, 700)));
                }
                catch (JournalFullException)
                {
                    Assert.Equal(bytes, journal.Bytes);
                    Assert.False(journal.HasRoom);
                    full++;
                    _files.Room += full % 3 == 0 ? 20_000 : 0;
                    await _scheduler.Time.Pass(TimeSpan.FromMinutes(1));
                }
            }

            await journal.DisposeAsync();
            Assert.True(full >= 6, $"{full}");
            Assert.Equal(appended, await _log.ReplayAsync());
            AssertNothingLeftHalf();
        }, TimeSpan.FromHours(2));

    [Fact]
    public void A_full_disk_is_tried_again_after_growing_pauses_and_refuses_meanwhile() =>
        _scheduler.Run(async () =>
        {
            await using var journal = await _log.OpenAsync();
            await FillAsync(journal);
            var before = _tries;
            for (var i = 0; i < 6000; i++)
            {
                await _scheduler.Time.Pass(TimeSpan.FromMilliseconds(10));
                var full = await Assert.ThrowsAsync<JournalFullException>(() => AppendAsync(journal));
                Assert.Contains("No space left", full.Message, StringComparison.Ordinal);
            }

            Assert.InRange(_tries - before, 5, 15);
            AssertNothingLeftHalf();
            await journal.DisposeAsync();
            await _scheduler.Time.Pass(TimeSpan.FromMinutes(1));
            Assert.InRange(_tries - before, 5, 15);
        });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_log_finds_room_by_itself_and_takes_the_next_append(bool isShared) => _scheduler.Run(async () =>
    {
        var log = new TestLog(_files) { Clock = _scheduler.Time, IsShared = isShared };
        await using var journal = await log.OpenAsync();
        await FillAsync(journal);
        Assert.False(journal.HasRoom);
        _files.Room = long.MaxValue;
        await _scheduler.Time.Pass(TimeSpan.FromSeconds(9));
        Assert.True(journal.HasRoom);
        await AppendAsync(journal);
    });

    /// <summary>A problem of room that is over must not hide another one.</summary>
    [Fact]
    public void A_log_whose_directory_fails_while_it_looks_for_room_says_so() => _scheduler.Run(async () =>
    {
        await using var journal = await _log.OpenAsync();
        await FillAsync(journal);
        _files.Room = long.MaxValue;
        _files.Plan = operation => new(
            operation.Action == FileAction.Create ? FileFault.Fail : FileFault.None);
        await _scheduler.Time.Pass(TimeSpan.FromSeconds(9));
        await Assert.ThrowsAsync<JournalLostException>(() => AppendAsync(journal));
    });

    [Fact]
    public void Appends_do_not_wait_while_a_full_disk_is_tried_again() => _scheduler.Run(async () =>
    {
        await using var journal = await _log.OpenAsync();
        await FillAsync(journal);
        var filling = new TaskCompletionSource<FileFault>();
        _files.Room = long.MaxValue;
        _files.Plan = operation => operation.Action == FileAction.Create ? new(filling.Task) : new(FileFault.None);
        for (var i = 0; i < 3; i++)
        {
            await _scheduler.Time.Pass(TimeSpan.FromSeconds(9));
            var append = AppendAsync(journal);
            Assert.True(append.IsCompleted);
            await Assert.ThrowsAsync<JournalFullException>(() => append);
        }

        filling.SetResult(FileFault.None);
        await _scheduler.Time.Pass(TimeSpan.FromMilliseconds(1));
        await AppendAsync(journal);
    });

    [Fact]
    public void An_opening_that_finds_no_room_tries_nothing_afterwards() => _scheduler.Run(async () =>
    {
        await using (var journal = await _log.OpenAsync())
        {
            await FillAsync(journal);
        }

        for (var openings = 0; ; openings++)
        {
            Assert.True(openings < 20);
            try
            {
                await (await _log.OpenAsync()).DisposeAsync();
            }
            catch (JournalFullException)
            {
                break;
            }
        }

        var before = _tries;
        await _scheduler.Time.Pass(TimeSpan.FromMinutes(1));
        Assert.Equal(before, _tries);
    });

    private static Task<IReadOnlyList<TestRecord>> AppendAsync(IJournal journal) =>
        TestLog.AppendAsync(journal, TestLog.Bytes(1, 700));

    /// <summary>Leaves the disk no room, and writes until the log has used up what it has.</summary>
    private async Task FillAsync(IJournal journal)
    {
        _files.Room = _files.BytesUsed;
        await Assert.ThrowsAsync<JournalFullException>(async () =>
        {
            while (true)
            {
                await AppendAsync(journal);
            }
        });
    }

    private void AssertNothingLeftHalf() =>
        Assert.DoesNotContain(_files.NamesIn(_log.Directory), name => name.EndsWith(".new", StringComparison.Ordinal));
}
