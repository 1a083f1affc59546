using Microsoft.Extensions.Time.Testing;
using Orleans.Consensus.Clustering.Documents;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Journaling.Files;

namespace Orleans.Consensus.Tests.Journaling.Disks;

/// <summary>
/// A loss of power on the machine's own disk: only what was flushed, of files and of directories, is there afterwards.
/// </summary>
public sealed class PowerLossTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("power-loss-");
    private readonly WatchedDisk _disk = new();
    private int _losses;

    public void Dispose() => _directory.Delete(recursive: true);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Root => Path.Combine(_directory.FullName, "data", "store");

    [Fact]
    public async Task What_a_log_acknowledged_is_there_after_a_loss_of_power()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        var log = new TestLog(new DiskFiles(_disk), Root);
        var appended = new List<TestRecord>();
        for (var life = 0; life < 2; life++)
        {
            await using var journal = await log.OpenAsync();
            for (var i = 0; i < 12; i++)
            {
                appended.AddRange(await TestLog.AppendAsync(journal, TestLog.Bytes(i, 1500)));
                if (i % 4 == life)
                {
                    Assert.Equal(appended, await new TestLog(new DiskFiles(), AfterPowerLoss()).ReplayAsync());
                }
            }
        }

        Assert.InRange(appended[^1].Position.Segment, 3, int.MaxValue);
    }

    [Fact]
    public async Task What_a_shared_log_acknowledged_is_there_after_a_loss_of_power()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        var log = new TestLog(new DiskFiles(_disk), Root) { IsShared = true };
        var appended = new List<byte[]>();
        for (var life = 0; life < 3; life++)
        {
            await using var journal = await log.OpenAsync();
            await CheckAsync();
            for (var i = 0; i < 7; i++)
            {
                appended.AddRange((await TestLog.AppendAsync(journal, TestLog.Bytes(i + life, 1500))).Select(
                    record => record.Bytes));
                await CheckAsync();
            }
        }

        async Task CheckAsync()
        {
            var after = new TestLog(new DiskFiles(), AfterPowerLoss()) { IsShared = true };
            Assert.Equal(appended, (await after.ReplayAsync()).Select(record => record.Bytes));
        }
    }

    [Fact]
    public void Of_several_who_give_a_file_one_name_one_succeeds()
    {
        var (first, second) = (Path.Combine(_directory.FullName, "1"), Path.Combine(_directory.FullName, "2"));
        var name = Path.Combine(_directory.FullName, "name");
        File.WriteAllText(first, "first");
        File.WriteAllText(second, "second");
        Assert.True(DiskCalls.TryRename(first, name));
        Assert.False(DiskCalls.TryRename(second, name));
        Assert.Equal("first", File.ReadAllText(name));
        Assert.False(File.Exists(first));
        Assert.True(File.Exists(second));
        Assert.Throws<IOException>(() => DiskCalls.TryRename(first, $"{name}s"));
    }

    [Fact]
    public async Task A_header_that_is_all_of_its_file_is_there_after_a_loss_of_power()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        await MarkAsync(new DiskFiles(_disk), Root, mayCreate: true);
        await MarkAsync(new DiskFiles(), AfterPowerLoss(), mayCreate: false);
    }

    [Fact]
    public async Task A_document_is_there_after_a_loss_of_power_also_in_a_directory_that_is_new()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        var place = Documents(Root);
        Assert.True(await place.TryWriteAsync("membership", null, "first"u8.ToArray(), Stop));
        Assert.Equal("first", await TextAsync(AfterPowerLoss()));
        var tag = (await place.ReadAsync("membership", Stop))!.Value.Tag;
        Assert.True(await place.TryWriteAsync("membership", tag, "second"u8.ToArray(), Stop));
        var after = AfterPowerLoss();
        Assert.Equal("second", await TextAsync(after));
        Assert.True(File.Exists(Path.Combine(after, "documents.lock")));
    }

    [Fact]
    public async Task A_document_is_there_in_a_directory_that_somebody_else_created_and_did_not_flush()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        Directory.CreateDirectory(Root);
        Assert.True(await Documents(Root).TryWriteAsync("membership", null, "first"u8.ToArray(), Stop));
        Assert.Equal("first", await TextAsync(AfterPowerLoss()));
    }

    [Fact]
    public async Task The_lock_of_a_log_is_a_file_that_stays()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        Directory.CreateDirectory(Root);
        var log = new TestLog(new DiskFiles(_disk), Root);
        await using var journal = await log.OpenAsync();
        Assert.True(File.Exists(Path.Combine(AfterPowerLoss(), "a", "journal.lock")));
    }

    [Fact]
    public async Task Whichever_flush_fails_nothing_is_acknowledged_on_top_of_it()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        for (var at = 1; await LiveAsync(Path.Combine(Root, $"{at}"), at); at++)
        {
        }
    }

    [Fact]
    public void A_flush_that_fails_says_so()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var gone = Path.Combine(_directory.FullName, "gone");
        Assert.Contains(gone, Assert.Throws<IOException>(
            () => DiskCalls.Real.FlushDirectory(gone)).Message, StringComparison.Ordinal);
        using var nothing = File.OpenHandle("/dev/null", access: FileAccess.ReadWrite);
        Assert.Contains("/dev/null", Assert.Throws<IOException>(
            () => DiskCalls.Real.Flush(nothing, "/dev/null")).Message, StringComparison.Ordinal);
        Assert.Throws<IOException>(() => DiskCalls.Real.FlushDirectory("/dev/null"));
    }

    /// <summary>A log whose flush number <paramref name="at"/> fails; false if it has fewer.</summary>
    private async Task<bool> LiveAsync(string root, int at)
    {
        var last = _disk.Flushes + at;
        _disk.Fails = _ => _disk.Flushes == last;
        var log = new TestLog(new DiskFiles(_disk), root);
        var appended = new List<TestRecord>();
        try
        {
            await using var journal = await log.OpenAsync();
            for (var i = 0; i < 4; i++)
            {
                appended.AddRange(await TestLog.AppendAsync(journal, TestLog.Bytes(i, 3000)));
            }
        }
        catch (JournalException exception) when (exception is JournalLostException or JournalUnavailableException)
        {
        }

        var reached = _disk.Flushes >= last;
        _disk.Fails = static _ => false;
        if (reached)
        {
            // The flush of a segment that was made ahead may fail without a word as long as nothing needs it.
            Assert.InRange(appended.Count, 0, 4);
        }

        if (appended.Count > 0)
        {
            var after = Path.Combine(AfterPowerLoss(), $"{at}");
            Assert.Equal(appended, (await new TestLog(new DiskFiles(), after).ReplayAsync()).Take(appended.Count));
        }

        return reached;
    }

    private FileDocuments Documents(string path) => new(path, TimeProvider.System, new Random(1), _disk);

    private static async Task<string?> TextAsync(string path)
    {
        var place = new FileDocuments(path, TimeProvider.System, new Random(1));
        return await place.ReadAsync("membership", Stop) is { } found
            ? System.Text.Encoding.UTF8.GetString(found.Bytes.Span)
            : null;
    }

    private static async Task MarkAsync(DiskFiles files, string root, bool mayCreate)
    {
        var store = new FileJournalStore(
            files, root, TestLog.SmallSegments, new FakeTimeProvider(), new Random(1));
        await store.MarkAsync(TestLog.DefaultIdentity, mayCreate, Stop);
    }

    /// <summary>Where the store is found again on the disk as it is after a loss of power now.</summary>
    private string AfterPowerLoss()
    {
        var to = Path.Combine(_directory.FullName, $"after-{++_losses}");
        _disk.Restore(_directory.FullName, to);
        return Path.Combine(to, "data", "store");
    }
}
