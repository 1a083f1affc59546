using System.Buffers.Binary;
using System.IO.Hashing;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Journaling.Files;

namespace Orleans.Consensus.Tests.Journaling;

/// <summary>Which logs are opened, which are refused, and in what words.</summary>
public sealed class OpeningTests
{
    private const string First = "segment-00000001";

    private readonly FaultyFiles _files = new(new Random(1));
    private readonly TestLog _log;

    public OpeningTests()
    {
        _log = new(_files);
    }

    public static TheoryData<string, string, string> OtherIdentities => new()
    {
        { "the ServiceId", "service", "other" },
        { "the store", "Default", "other" },
        { "the replica", "a", "b" },
        { "the replica list", "a,b,c", "a,b,d" },
        { "the number of groups", "16", "8" },
    };

    [Theory]
    [MemberData(nameof(OtherIdentities))]
    public async Task A_log_of_another_identity_is_refused_by_the_name_of_what_differs(
        string field, string found, string configured)
    {
        await _log.ReplayAsync();
        var expected = field switch
        {
            "the ServiceId" => TestLog.DefaultIdentity with { Service = configured },
            "the store" => TestLog.DefaultIdentity with { Store = configured },
            "the replica" => TestLog.DefaultIdentity with { Replica = new(configured) },
            "the replica list" => TestLog.DefaultIdentity with { Replicas = configured },
            _ => TestLog.DefaultIdentity with { Groups = 8 },
        };
        var other = new TestLog(_files) { Expected = expected };
        foreach (var name in _files.NamesIn(_log.Directory))
        {
            _files.Put(other.Directory, name, _files.Get(_log.Directory, name));
        }

        var exception = await Assert.ThrowsAsync<JournalIdentityException>(async () => await other.OpenAsync());
        Assert.Contains($"{field} in it is '{found}', configured is '{configured}'", exception.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_log_id_of_an_existing_log_wins()
    {
        await _log.ReplayAsync();
        var expected = TestLog.DefaultIdentity with { LogId = new(77) };
        await using var journal = await new TestLog(_files) { Expected = expected }.OpenAsync();

        Assert.Equal(TestLog.DefaultIdentity, journal.Identity);
    }

    [Fact]
    public async Task A_newer_format_is_refused_by_name()
    {
        await _log.ReplayAsync();
        var image = _files.Get(_log.Directory, First);
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(8), 9);
        BinaryPrimitives.WriteUInt128LittleEndian(
            image.AsSpan(4080), XxHash128.HashToUInt128(image.AsSpan(0, 4080)));
        _files.Put(_log.Directory, First, image);

        var exception = await Assert.ThrowsAsync<JournalFormatException>(async () => await _log.OpenAsync());
        Assert.Contains("version 9", exception.Message, StringComparison.Ordinal);
        Assert.Contains("versions up to 2", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_crash_left_while_creating_the_log_is_a_new_log()
    {
        _files.Put(_log.Directory, First + ".new", TestLog.Bytes(1, 5000));
        Assert.Empty(await _log.ReplayAsync());
        Assert.DoesNotContain(First + ".new", _files.NamesIn(_log.Directory));
    }

    [Fact]
    public async Task Files_that_are_not_the_logs_are_left_alone()
    {
        _files.Put(_log.Directory, "checkpoint", [1, 2, 3]);
        _files.Put(_log.Directory, "segment-x", [1, 2, 3]);
        Assert.Empty(await _log.ReplayAsync());
        Assert.Equal([1, 2, 3], _files.Get(_log.Directory, "checkpoint"));
    }

    [Theory]
    [InlineData("denied")]
    [InlineData("fail")]
    public async Task A_place_that_can_not_be_used_is_named(string fault)
    {
        var actions = Enum.GetValues<FileAction>().Except([FileAction.Delete, FileAction.Open, FileAction.Read]);
        foreach (var action in actions)
        {
            var files = new FaultyFiles(new Random(1));
            var log = new TestLog(files);
            files.Plan = operation => new(
                operation.Action != action ? FileFault.None
                : fault == "denied" ? FileFault.Denied
                : FileFault.Fail);
            var exception = await Record.ExceptionAsync(async () => await log.OpenAsync());
            Assert.True(exception is JournalUnavailableException or JournalLostException, $"{action}: {exception}");
            Assert.Contains(log.Directory, exception.Message, StringComparison.Ordinal);

            files.Plan = null;
            Assert.Empty(await log.ReplayAsync());
        }
    }

    [Fact]
    public async Task A_path_that_is_a_file_is_named()
    {
        var path = Path.GetTempFileName();
        try
        {
            var log = new TestLog(new DiskFiles(), path);
            var exception = await Assert.ThrowsAsync<JournalUnavailableException>(async () => await log.OpenAsync());
            Assert.Contains(path, exception.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public async Task An_opening_from_a_checkpoint_shows_only_what_is_behind_it()
    {
        var all = new List<TestRecord>();
        await using (var journal = await _log.OpenAsync())
        {
            for (var i = 0; i < 40; i++)
            {
                all.AddRange(await TestLog.AppendAsync(journal, TestLog.Bytes(i, 900), [1]));
            }
        }

        for (var i = 0; i < all.Count; i++)
        {
            await using var journal = await _log.OpenAsync(all[i].Position);
            Assert.Equal(all[(i + 1)..], _log.Replayed);
        }
    }

    [Fact]
    public async Task A_checkpoint_that_reaches_further_than_the_log_is_damage()
    {
        await using (var journal = await _log.OpenAsync())
        {
            await TestLog.AppendAsync(journal, TestLog.Bytes(1, 10));
        }

        foreach (var from in new JournalPosition[] { new(1, 8000), new(2, 4200), new(9, 4200) })
        {
            await Assert.ThrowsAsync<JournalCorruptException>(async () => await _log.OpenAsync(from));
        }

        await Assert.ThrowsAsync<JournalCorruptException>(
            async () => await new TestLog(new MemoryFiles()).OpenAsync(new JournalPosition(1, 4200)));
    }

    [Fact]
    public async Task Every_opening_writes_a_fence_with_the_next_epoch()
    {
        var epochs = new List<long>();
        for (var i = 0; i < 3; i++)
        {
            await using var journal = await _log.OpenAsync();
            var body = _files.Get(_log.Directory, First).AsSpan((int)journal.Bytes - Sector.Size + BatchHeader.Size);
            epochs.Add(FenceRecord.TryRead(body.Slice(2, body[1]))!.Epoch);
        }

        Assert.Equal([1, 2, 3], epochs);
    }

    [Fact]
    public async Task A_replay_that_throws_ends_the_opening_and_gives_the_log_up()
    {
        await using (var journal = await _log.OpenAsync())
        {
            await TestLog.AppendAsync(journal, TestLog.Bytes(1, 10));
        }

        var store = new FileJournalStore(
            _files, "/logs", TestLog.SmallSegments, TimeProvider.System, new Random(1));
        await Assert.ThrowsAsync<FormatException>(async () => await store.OpenAsync(
            TestLog.DefaultIdentity,
            TestLog.DefaultOwner,
            null,
            (_, _, _) => throw new FormatException(),
            CancellationToken.None));
        Assert.Single(await _log.ReplayAsync());
    }
}
