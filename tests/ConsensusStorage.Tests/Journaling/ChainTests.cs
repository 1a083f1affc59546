using Orleans.Consensus.Journaling;

namespace Orleans.Consensus.Tests.Journaling;

/// <summary>Batches and segments that are intact, but in the wrong place.</summary>
public sealed class ChainTests
{
    private readonly FaultyFiles _files = new(new Random(1));
    private readonly TestLog _log;

    public ChainTests()
    {
        _log = new(_files);
    }

    [Fact]
    public async Task A_batch_that_was_copied_to_another_place_is_damage()
    {
        var ends = await WriteAsync(batches: 3, bytes: 300);
        var image = _files.Get(_log.Directory, Name(1));
        for (var source = 0; source < ends.Count - 1; source++)
        {
            for (var target = 0; target < ends.Count - 1; target++)
            {
                byte[] changed = [.. image];
                image.AsSpan(ends[source]..ends[source + 1]).CopyTo(changed.AsSpan(ends[target]));
                _files.Put(_log.Directory, Name(1), changed);
                var exception = await Record.ExceptionAsync(async () => await _log.OpenAsync());
                Assert.Equal(source == target ? null : typeof(JournalCorruptException), exception?.GetType());
                _files.Kill();
            }
        }
    }

    [Fact]
    public async Task A_last_batch_that_was_written_twice_is_damage()
    {
        var ends = await WriteAsync(batches: 3, bytes: 300);
        var image = _files.Get(_log.Directory, Name(1));
        image.AsSpan(ends[^2]..ends[^1]).CopyTo(image.AsSpan(ends[^1]));
        _files.Put(_log.Directory, Name(1), image);
        await AssertCorruptAsync("batch of another place");
    }

    [Fact]
    public async Task A_batch_of_another_past_of_the_same_segment_is_damage()
    {
        await WriteAsync(batches: 0, bytes: 0);
        var past = _files.Get(_log.Directory, Name(1));
        var ours = await SpliceAsync(past, 300);
        var theirs = await SpliceAsync(past, 301);
        Assert.Equal(ours.Ends, theirs.Ends);

        // Segment, place and sequence fit; only the hash of the batch before tells.
        ours.Image.AsSpan(ours.Ends[^2]..ours.Ends[^1]).CopyTo(theirs.Image.AsSpan(ours.Ends[^2]));
        _files.Put(_log.Directory, Name(1), theirs.Image);
        await AssertCorruptAsync("doesn't follow the one before");
    }

    [Fact]
    public async Task A_segment_whose_header_was_rewritten_is_damage()
    {
        await WriteAsync(batches: 40, bytes: 900);
        var image = _files.Get(_log.Directory, Name(3));
        var (header, _) = SegmentHeader.Decode(image, "it");
        (header with { Created = header.Created + 1 }).Encode().Bytes.CopyTo(image, 0);
        _files.Put(_log.Directory, Name(3), image);
        await AssertCorruptAsync("not the segment that the one before rolled to");
    }

    [Fact]
    public async Task A_missing_segment_is_damage()
    {
        await WriteAsync(batches: 40, bytes: 900);
        var last = LastSegment();
        Assert.True(last > 4);
        for (var number = 1; number < last; number++)
        {
            var image = _files.Get(_log.Directory, Name(number));
            _files.Remove(_log.Directory, Name(number));
            await AssertCorruptAsync($"Segment {number}");
            _files.Put(_log.Directory, Name(number), image);
        }

        Assert.Equal(40, (await _log.ReplayAsync()).Count);
    }

    [Fact]
    public async Task Two_segments_in_each_others_place_are_damage()
    {
        await WriteAsync(batches: 40, bytes: 900);
        var (third, fourth) = (_files.Get(_log.Directory, Name(3)), _files.Get(_log.Directory, Name(4)));
        _files.Put(_log.Directory, Name(3), fourth);
        _files.Put(_log.Directory, Name(4), third);
        await AssertCorruptAsync("it is segment 4");
    }

    [Fact]
    public async Task A_segment_that_is_there_twice_is_damage()
    {
        await WriteAsync(batches: 40, bytes: 900);
        for (var number = 1; number <= LastSegment(); number++)
        {
            var copy = Name(LastSegment() + 1);
            _files.Put(_log.Directory, copy, _files.Get(_log.Directory, Name(number)));
            await AssertCorruptAsync($"it is segment {number}");
            _files.Remove(_log.Directory, copy);
        }
    }

    [Fact]
    public async Task An_older_copy_of_a_segment_put_back_is_damage()
    {
        await WriteAsync(batches: 3, bytes: 300);
        var older = _files.Get(_log.Directory, Name(1));
        await WriteAsync(batches: 40, bytes: 900);
        _files.Put(_log.Directory, Name(1), older);
        await AssertCorruptAsync("its roll record is missing");
    }

    [Fact]
    public async Task Another_logs_segment_of_the_same_number_is_damage()
    {
        await WriteAsync(batches: 40, bytes: 900);
        var otherFiles = new FaultyFiles(new Random(2));
        var other = new TestLog(otherFiles, seed: 2)
        {
            Expected = TestLog.DefaultIdentity with { LogId = new(99) },
        };
        await WriteAsync(other, batches: 40, bytes: 900);
        for (var number = 1; number < LastSegment(); number++)
        {
            var own = _files.Get(_log.Directory, Name(number));
            _files.Put(_log.Directory, Name(number), otherFiles.Get(other.Directory, Name(number)));
            await AssertCorruptAsync("belongs to log");
            _files.Put(_log.Directory, Name(number), own);
        }
    }

    [Fact]
    public async Task A_log_that_was_formed_twice_with_one_log_id_is_still_told_apart()
    {
        await WriteAsync(batches: 40, bytes: 900);
        var otherFiles = new FaultyFiles(new Random(2));
        var other = new TestLog(otherFiles, seed: 2);
        await WriteAsync(other, batches: 40, bytes: 900);
        _files.Put(_log.Directory, Name(2), otherFiles.Get(other.Directory, Name(2)));
        await AssertCorruptAsync("doesn't follow");
    }

    [Fact]
    public async Task A_lost_roll_record_is_damage_when_the_log_goes_on_behind_it()
    {
        await WriteAsync(batches: 40, bytes: 900);
        var number = LastSegment();
        while (Sector.IsZero(_files.Get(_log.Directory, Name(number)).AsSpan(SegmentHeader.Size)))
        {
            number--;
        }

        // The last sector with something in it is the roll record's, and a zero sector alone would look torn.
        var image = _files.Get(_log.Directory, Name(number - 1));
        var roll = image.AsSpan().LastIndexOfAnyExcept((byte)0) / Sector.Size * Sector.Size;
        image.AsSpan(roll, Sector.Size).Clear();
        _files.Put(_log.Directory, Name(number - 1), image);
        await AssertCorruptAsync("its roll record is missing");
    }

    [Fact]
    public async Task A_spare_segment_counts_for_nothing_and_is_used_for_the_next_roll()
    {
        await WriteAsync(batches: 4, bytes: 500);
        Assert.Contains(Name(2), _files.NamesIn(_log.Directory));
        var spare = _files.Get(_log.Directory, Name(2));

        await using var journal = await _log.OpenAsync();
        Assert.Equal(4, _log.Replayed.Count);
        await TestLog.AppendAsync(journal, TestLog.Bytes(1, 3000));
        Assert.Equal(spare[..SegmentHeader.Size], _files.Get(_log.Directory, Name(2))[..SegmentHeader.Size]);
    }

    [Fact]
    public async Task A_spare_that_is_too_small_for_a_batch_is_replaced()
    {
        await using var journal = await _log.OpenAsync();
        var first = await TestLog.AppendAsync(journal, TestLog.Bytes(1, 2500));
        Assert.Contains(Name(2), _files.NamesIn(_log.Directory));
        var second = await TestLog.AppendAsync(journal, TestLog.Bytes(2, 100_000));
        var third = await TestLog.AppendAsync(journal, TestLog.Bytes(3, 100));
        await journal.DisposeAsync();

        Assert.Equal([.. first, .. second, .. third], await _log.ReplayAsync());
        Assert.Equal(2, second[0].Position.Segment);
    }

    /// <summary>Puts a state back and writes two batches onto it.</summary>
    private async Task<(byte[] Image, List<int> Ends)> SpliceAsync(byte[] past, int bytes)
    {
        _files.Put(_log.Directory, Name(1), past);
        var ends = await WriteAsync(batches: 2, bytes);
        return (_files.Get(_log.Directory, Name(1)), ends);
    }

    private static string Name(int number) => $"segment-{number:D8}";

    private Task<List<int>> WriteAsync(int batches, int bytes) => WriteAsync(_log, batches, bytes);

    /// <summary>Offsets of the batches in a log of one segment, and the end.</summary>
    private static async Task<List<int>> WriteAsync(TestLog log, int batches, int bytes)
    {
        await using var journal = await log.OpenAsync();
        var ends = new List<int> { (int)journal.Bytes };
        for (var i = 0; i < batches; i++)
        {
            await TestLog.AppendAsync(journal, TestLog.Bytes(i, bytes));
            ends.Add((int)journal.Bytes);
        }

        return ends;
    }

    private int LastSegment() =>
        _files.NamesIn(_log.Directory).Count(name => name.StartsWith("segment-", StringComparison.Ordinal));

    private async Task AssertCorruptAsync(string message)
    {
        var exception = await Assert.ThrowsAsync<JournalCorruptException>(async () => await _log.OpenAsync());
        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
    }
}
