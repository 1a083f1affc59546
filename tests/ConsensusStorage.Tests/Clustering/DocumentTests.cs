using Microsoft.Extensions.Time.Testing;
using Orleans.Consensus.Clustering.Documents;
using Orleans.Consensus.Tests.Journaling.Disks;

namespace Orleans.Consensus.Tests.Clustering;

/// <summary>The place in memory that other tests use is one as the real ones are.</summary>
public sealed class MemoryDocumentTests : DocumentCases
{
    private protected override ValueTask<IDocuments> OpenAsync() => new(new MemoryDocuments("place"));
}

/// <summary>A place that is a directory: what else may happen to it.</summary>
public sealed class FileDocumentTests : DocumentCases, IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory();
    private readonly CountedTime _time = new();
    private readonly FileDocuments _place;

    public FileDocumentTests() => _place = new(PathOf("place"), _time, new Random(1));

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task While_another_process_has_the_lock_a_change_waits()
    {
        Assert.True(await WriteAsync(null, "first"));
        Task<bool> write;
        using (Lock())
        {
            write = WriteAsync((await _place.ReadAsync(Name, Stop))?.Tag, "second");
            await WaitsAsync();
            Assert.False(write.IsCompleted);
            Assert.Equal("first", await TextAsync(_place));
        }

        await PassAsync(write);
        Assert.True(await write);
        Assert.Equal("second", await TextAsync(_place));
    }

    [Fact]
    public async Task A_lock_that_is_never_given_up_fails_the_change_and_it_leaves_nothing()
    {
        Assert.True(await WriteAsync(null, "first"));
        using var held = Lock();
        var write = WriteAsync((await _place.ReadAsync(Name, Stop))?.Tag, "second");
        await PassAsync(write);
        await Assert.ThrowsAsync<IOException>(() => write);
        Assert.Equal("first", await TextAsync(_place));
        Assert.Empty(Directory.GetFiles(_place.Location, "*.new"));
    }

    [Fact]
    public async Task A_change_that_is_given_up_while_it_waits_leaves_nothing()
    {
        Assert.True(await WriteAsync(null, "first"));
        using var held = Lock();
        using var given = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var write = _place.TryWriteAsync(Name, null, default, given.Token).AsTask();
        await WaitsAsync();
        await given.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => write);
        Assert.Empty(Directory.GetFiles(_place.Location, "*.new"));
    }

    [Fact]
    public async Task What_a_killed_process_left_behind_is_no_document_and_no_note()
    {
        Assert.True(await WriteAsync(null, "first"));
        await _place.NoteAsync("alive/a", DateTime.UnixEpoch, Stop);
        await File.WriteAllTextAsync(Path.Combine(_place.Location, "membership.0123.new"), "half", Stop);
        await File.WriteAllTextAsync(Path.Combine(_place.Location, "alive", "b.new"), "half", Stop);
        await File.WriteAllTextAsync(Path.Combine(_place.Location, "alive", "c"), "1970-01-", Stop);
        Assert.Equal("first", await TextAsync(_place));
        Assert.Equal(["alive/a"], (await _place.NotesAsync("alive/", Stop)).Keys);
    }

    /// <summary>The next flush of a directory succeeds, and says nothing about what the one before lost.</summary>
    [Fact]
    [Trait("Rule", "S5")]
    public async Task After_a_failed_flush_of_its_writer_only_a_document_that_is_written_once_more_is_durable()
    {
        var failing = new FileDocuments(
            PathOf("place"), _time, new Random(2), new WatchedDisk { Fails = path => path == PathOf("place") });
        Assert.True(await WriteAsync(null, "first"));
        var first = (await _place.ReadAsync(Name, Stop))!.Value.Tag;
        Assert.True(await _place.TryFlushAsync(Name, first, Stop));

        await Assert.ThrowsAsync<IOException>(() => WriteAsync(failing, first, "second").AsTask());
        var second = (await _place.ReadAsync(Name, Stop))!.Value.Tag;
        Assert.NotEqual(first, second);
        Assert.False(await _place.TryFlushAsync(Name, first, Stop));
        Assert.False(await _place.TryFlushAsync(Name, second, Stop));

        Assert.True(await WriteAsync(second, "second"));
        Assert.Equal(second, (await _place.ReadAsync(Name, Stop))!.Value.Tag);
        Assert.True(await _place.TryFlushAsync(Name, second, Stop));
        Assert.False(await _place.TryFlushAsync(Name, first, Stop));
    }

    [Fact]
    [Trait("Rule", "S5")]
    public async Task A_flush_that_fails_and_one_of_what_is_still_being_flushed_are_no_proof()
    {
        Assert.True(await WriteAsync(null, "first"));
        var tag = (await _place.ReadAsync(Name, Stop))!.Value.Tag;
        foreach (var part in new[] { "place", "place/membership" })
        {
            var failing = new FileDocuments(
                PathOf("place"), _time, new Random(2), new WatchedDisk { Fails = path => path == PathOf(part) });
            await Assert.ThrowsAsync<IOException>(() => failing.TryFlushAsync(Name, tag, Stop).AsTask());
        }

        Task<bool> flush;
        using (Lock())
        {
            await File.WriteAllTextAsync(PathOf("place/membership.unflushed"), "", Stop);
            flush = _place.TryFlushAsync(Name, tag, Stop).AsTask();
            await WaitsAsync();
            Assert.False(flush.IsCompleted);
            File.Delete(PathOf("place/membership.unflushed"));
        }

        await PassAsync(flush);
        Assert.True(await flush);
    }

    [Fact]
    public async Task A_directory_that_cannot_be_made_is_an_error_that_names_it()
    {
        await File.WriteAllTextAsync(PathOf("file"), "I was here before.", Stop);
        var place = new FileDocuments(PathOf("file"), _time, new Random(1));
        var error = await Assert.ThrowsAnyAsync<IOException>(
            () => place.TryWriteAsync(Name, null, default, Stop).AsTask());
        Assert.Contains(PathOf("file"), error.Message, StringComparison.Ordinal);
        Assert.Equal("I was here before.", await File.ReadAllTextAsync(PathOf("file"), Stop));
    }

    private protected override ValueTask<IDocuments> OpenAsync() =>
        new(new FileDocuments(PathOf("deep/place"), TimeProvider.System, Random.Shared));

    private string PathOf(string name) => Path.Combine(_directory.FullName, name);

    private Task<bool> WriteAsync(string? tag, string text) =>
        WriteAsync(_place, tag, text).AsTask();

    /// <summary>What another process does that is stopped in the midst of a change.</summary>
    private FileStream Lock() => new(
        Path.Combine(_place.Location, "documents.lock"), FileMode.Open, FileAccess.ReadWrite, FileShare.None);

    /// <summary>Returns when the change waits for the lock.</summary>
    private async Task WaitsAsync()
    {
        while (_time.Timers == 0)
        {
            Stop.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    /// <summary>Lets time pass, one wait after the other, until <paramref name="write"/> is done.</summary>
    private async Task PassAsync(Task write)
    {
        for (var passed = 0; !write.IsCompleted; await Task.Yield())
        {
            Stop.ThrowIfCancellationRequested();
            if (passed < _time.Timers)
            {
                passed = _time.Timers;
                _time.Advance(TimeSpan.FromMilliseconds(5));
            }
        }
    }

    /// <summary>Tells how often somebody began to wait.</summary>
    private sealed class CountedTime : FakeTimeProvider
    {
        private int _timers;

        public int Timers => Volatile.Read(ref _timers);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            Interlocked.Increment(ref _timers);
            return timer;
        }
    }
}
