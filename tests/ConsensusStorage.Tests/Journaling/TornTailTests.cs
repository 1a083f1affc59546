using Orleans.Consensus.Journaling;

namespace Orleans.Consensus.Tests.Journaling;

/// <summary>
/// The last batch of a log, damaged in every way: what a torn write can leave is cut off, everything else is damage.
/// </summary>
public sealed class TornTailTests
{
    private const string First = "segment-00000001";

    private readonly FaultyFiles _files = new(new Random(1));
    private readonly TestLog _log;
    private readonly List<TestRecord> _before = [];
    private readonly List<TestRecord> _all = [];
    private byte[] _image = [];
    private int _start;
    private int _end;

    public TornTailTests()
    {
        _log = new(_files) { Options = new() { FirstSegmentBytes = 16384, SegmentBytes = 16384 } };
    }

    [Fact]
    public async Task A_torn_tail_is_cut_and_everything_before_it_survives()
    {
        await WriteAsync(TestLog.Bytes(7, 1800));
        foreach (var lost in Subsets((_end - _start) / Sector.Size))
        {
            Damage(image => ZeroSectors(image, lost));
            Assert.Equal(_before, await _log.ReplayAsync());

            await using var journal = await _log.OpenAsync();
            Assert.Equal(_before, _log.Replayed);
            var appended = await TestLog.AppendAsync(journal, TestLog.Bytes(9, 900));
            await journal.DisposeAsync();
            Assert.Equal([.. _before, .. appended], await _log.ReplayAsync());
        }
    }

    [Fact]
    public async Task Sectors_that_are_rightly_zero_do_not_make_a_batch_torn()
    {
        byte[] payload = [.. TestLog.Bytes(7, 700), .. new byte[1500], .. TestLog.Bytes(8, 600)];
        await WriteAsync(payload);
        foreach (var lost in Subsets((_end - _start) / Sector.Size))
        {
            Damage(image => ZeroSectors(image, lost));
            var complete = _files.Get(_log.Directory, First).SequenceEqual(_image);
            Assert.Equal(complete ? _all : _before, await _log.ReplayAsync());
        }
    }

    [Fact]
    public async Task Damage_in_a_batch_with_rightful_zeros_is_not_taken_for_a_torn_write()
    {
        await WriteAsync([.. TestLog.Bytes(7, 700), .. new byte[1500], .. TestLog.Bytes(8, 600)]);
        for (var i = _start; i < _end; i++)
        {
            Damage(image => image[i] ^= 0x10);
            await AssertCorruptAsync($"byte {i - _start}");
        }
    }

    [Fact]
    public async Task Any_flipped_bit_of_the_last_batch_is_damage()
    {
        await WriteAsync(TestLog.Bytes(7, 300));
        for (var bit = _start * 8; bit < _end * 8; bit++)
        {
            Damage(image => image[bit / 8] ^= (byte)(1 << (bit % 8)));
            await AssertCorruptAsync($"bit {bit - _start * 8}");
        }
    }

    [Fact]
    public async Task Any_changed_byte_of_the_log_before_the_last_batch_is_damage()
    {
        await WriteAsync(TestLog.Bytes(7, 900));
        for (var i = 0; i < _start; i++)
        {
            Damage(image => image[i] ^= 0xFF);
            await AssertCorruptAsync($"byte {i}");
        }
    }

    [Fact]
    public async Task A_zeroed_sector_of_an_earlier_batch_is_damage()
    {
        await WriteAsync(TestLog.Bytes(7, 900));
        for (var i = SegmentHeader.Size; i < _start; i += Sector.Size)
        {
            if (!Sector.IsZero(_image.AsSpan(i, Sector.Size)))
            {
                Damage(image => image.AsSpan(i, Sector.Size).Clear());
                await AssertCorruptAsync($"sector at {i}");
            }
        }
    }

    [Fact]
    public async Task A_segment_that_was_cut_short_is_damage_at_every_length()
    {
        // Its full length was durable before it got its name, so no crash explains this.
        await WriteAsync(TestLog.Bytes(7, 900));
        for (var length = 0; length < _image.Length; length += length < _start || length >= _end ? 64 : 1)
        {
            _files.Put(_log.Directory, First, _image[..length]);
            await AssertCorruptAsync($"length {length}");
        }
    }

    [Fact]
    public async Task Remnants_behind_a_first_sector_that_was_never_written_are_passed_over()
    {
        await WriteAsync(TestLog.Bytes(7, 1800));
        Damage(image => image.AsSpan(_start, Sector.Size).Clear());
        Assert.Equal(_before, await _log.ReplayAsync());

        // The log goes on behind the last sector that was left, and what it left is as it was.
        var repaired = _files.Get(_log.Directory, First);
        Assert.Equal(_image.AsSpan((_start + Sector.Size).._end), repaired.AsSpan((_start + Sector.Size).._end));
        Assert.False(Sector.IsZero(repaired.AsSpan(_end, Sector.Size)));
    }

    [Fact]
    public async Task A_torn_batch_with_anything_behind_it_is_damage()
    {
        await WriteAsync(TestLog.Bytes(7, 1800));
        Damage(image =>
        {
            image.AsSpan(_start + Sector.Size, Sector.Size).Clear();
            image[_end + 100] = 1;
        });
        await AssertCorruptAsync("a byte behind");
    }

    [Fact]
    public async Task A_flush_that_failed_is_not_trusted_because_its_bytes_can_still_be_read()
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var files = new FaultyFiles(new Random(seed));
            var log = new TestLog(files);
            var model = new LogModel();
            var journal = await log.OpenAsync();
            await model.AppendAsync(journal, TestLog.Bytes(1, 700));
            files.Plan = operation => new(
                operation.Action == FileAction.WriteAndFlush ? FileFault.Fail : FileFault.None);
            await Assert.ThrowsAsync<JournalLostException>(() => model.AppendAsync(journal, TestLog.Bytes(2, 700)));
            files.Plan = null;
            await journal.DisposeAsync();

            model.Check(await log.ReplayAsync(), $"seed {seed}, after the failed flush");
            files.Crash();
            model.Check(await log.ReplayAsync(), $"seed {seed}, after power was lost");
        }
    }

    /// <summary>
    /// The opening behind a torn write fails once and once more, each at any of its writes; the third succeeds, and
    /// then the power is lost, and with it what could be seen and was not on the disk. Fences are of any length.
    /// </summary>
    [Theory, Trait("Rule", "S18")]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Whatever_fails_while_a_torn_write_is_passed_over_nothing_is_taken_for_damage(int first)
    {
        for (var seed = 0; seed < 100; seed++)
        {
            for (var second = 1; second <= 4; second++)
            {
                var because = $"seed {seed}, failures at writes {first} and {second}";
                var files = new FaultyFiles(new Random(seed));
                var log = new TestLog(files, seed: seed)
                {
                    Owner = new("cluster", new string('s', seed % 4 * 500)),
                };
                var model = new LogModel();
                var journal = await log.OpenAsync();
                await model.AppendAsync(journal, TestLog.Bytes(1, 700));
                files.Plan = FaultAtWrite(1, FileFault.Crash);
                await Assert.ThrowsAsync<JournalLostException>(
                    () => model.AppendAsync(journal, TestLog.Bytes(2, 1400)));
                await OpenInVainAsync(files, log, first, FileFault.Fail);
                await OpenInVainAsync(files, log, second, seed % 3 == 0 ? FileFault.Crash : FileFault.Fail);

                files.Plan = null;
                model.Check(await log.ReplayAsync(), because);
                files.Crash();
                model.Check(await log.ReplayAsync(), because + ", after power was lost");
            }
        }
    }

    /// <summary>Fails at one of its writes; without a torn write there are fewer of them, and it may succeed.</summary>
    private static async Task OpenInVainAsync(FaultyFiles files, TestLog log, int write, FileFault fault)
    {
        files.Plan = FaultAtWrite(write, fault);
        try
        {
            await log.ReplayAsync();
        }
        catch (JournalException exception) when (exception is JournalLostException or JournalUnavailableException)
        {
        }
    }

    private static FilePlan FaultAtWrite(int write, FileFault fault)
    {
        var writes = 0;
        return operation => new(
            operation.Action == FileAction.WriteAndFlush && ++writes == write ? fault : FileFault.None);
    }

    private static IEnumerable<int> Subsets(int sectors) => Enumerable.Range(1, (1 << sectors) - 1);

    private void ZeroSectors(byte[] image, int subset)
    {
        for (var sector = 0; _start + sector * Sector.Size < _end; sector++)
        {
            if ((subset & (1 << sector)) != 0)
            {
                image.AsSpan(_start + sector * Sector.Size, Sector.Size).Clear();
            }
        }
    }

    private async Task WriteAsync(byte[] last)
    {
        await using var journal = await _log.OpenAsync();
        _before.AddRange(await TestLog.AppendAsync(journal, TestLog.Bytes(1, 10)));
        _before.AddRange(await TestLog.AppendAsync(journal, TestLog.Bytes(2, 600), [], new byte[600]));
        _start = (int)journal.Bytes;
        _all.AddRange([.. _before, .. await TestLog.AppendAsync(journal, last)]);
        _end = (int)journal.Bytes;
        _image = _files.Get(_log.Directory, First);
        Assert.Equal([First], _files.NamesIn(_log.Directory).Where(name => name == First));
    }

    private void Damage(Action<byte[]> damage)
    {
        byte[] image = [.. _image];
        damage(image);
        foreach (var name in _files.NamesIn(_log.Directory))
        {
            _files.Remove(_log.Directory, name);
        }

        _files.Put(_log.Directory, First, image);
    }

    private async Task AssertCorruptAsync(string what)
    {
        var exception = await Record.ExceptionAsync(async () => await _log.OpenAsync());
        Assert.True(exception is JournalCorruptException, $"{what}: {exception}");
        Assert.Contains(_log.Directory, exception.Message, StringComparison.Ordinal);
    }
}
