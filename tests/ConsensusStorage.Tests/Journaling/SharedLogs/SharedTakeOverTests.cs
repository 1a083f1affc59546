using Orleans.Consensus.Journaling;

namespace Orleans.Consensus.Tests.Journaling.SharedLogs;

/// <summary>
/// Logs in a directory of several machines whose locks keep nobody out: owners that stand still anywhere, takers that
/// race, and power that goes at any step (S17).
/// </summary>
public sealed class SharedTakeOverTests
{
    private readonly FaultyFiles _files = new(new Random(7));
    private readonly List<TestRecord> _acknowledged = [];
    private int _silos;

    [Fact]
    [Trait("Rule", "S17")]
    public async Task A_former_owner_that_no_lock_keeps_out_acknowledges_nothing_behind_its_successor()
    {
        var owner = await Silo().OpenAsync();
        await AppendAsync(owner, 3);
        await using var taker = await Silo().OpenAsync();
        await AppendAsync(taker, 3);
        var fenced = await Assert.ThrowsAsync<JournalFencedException>(() => AppendAsync(owner, 1));
        Assert.True(fenced.MayBeThere);
        await Assert.ThrowsAsync<JournalFencedException>(() => AppendAsync(owner, 1));
        await AppendAsync(taker, 3);
        await CheckAsync();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [Trait("Rule", "S17")]
    public void Wherever_an_owner_stands_still_while_others_take_over_nothing_acknowledged_is_lost(int takers) =>
        new SimulatedScheduler().Run(async () =>
        {
            for (var at = 1; await StandStillAsync(at, takers); at++)
            {
            }
        });

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [Trait("Rule", "S17")]
    public void Wherever_a_taker_stands_still_while_another_is_faster_one_chain_wins(int others) =>
        new SimulatedScheduler().Run(async () =>
        {
            for (var at = 1; await RaceAsync(at, others); at++)
            {
            }
        });

    [Theory]
    [InlineData("crash")]
    [InlineData("kill")]
    [InlineData("fail")]
    [InlineData("full")]
    [Trait("Rule", "S17")]
    public async Task Whatever_goes_wrong_at_any_step_of_a_take_over_the_log_is_readable_and_whole(string fault)
    {
        for (var seed = 0; seed < 4; seed++)
        {
            for (var at = 1; await FailAsync(seed, at, fault); at++)
            {
            }
        }
    }

    [Fact]
    public async Task A_log_of_many_take_overs_and_rolls_is_read_in_order()
    {
        var random = new Random(3);
        for (var life = 0; life < 25; life++)
        {
            await using var journal = await Silo().OpenAsync();
            await AppendAsync(journal, random.Next(0, 9));
        }

        await CheckAsync();
        _files.Crash();
        await CheckAsync();
    }

    [Fact]
    public async Task Records_are_read_back_from_where_they_were_carried_to()
    {
        var owner = await Silo().OpenAsync();
        await AppendAsync(owner, 4);
        var log = Silo();
        await using var journal = await log.OpenAsync();
        Assert.Equal(_acknowledged.Count, log.Replayed.Count);
        foreach (var record in log.Replayed)
        {
            var bytes = await journal.ReadAsync(record.Position, record.Bytes.Length, CancellationToken.None);
            Assert.Equal(record.Bytes, bytes.ToArray());
        }
    }

    [Fact]
    public void A_header_of_version_2_says_where_the_segment_before_ends()
    {
        var header = new SegmentHeader(TestLog.DefaultIdentity, 2, 3, 4, 5, 8192, 6) { GoesOnAt = 4608 };
        var (bytes, hash) = header.Encode();
        Assert.Equal(2, bytes[8]);
        Assert.Equal((header, hash), SegmentHeader.Decode(bytes, "here"));
        var (own, _) = (header with { GoesOnAt = null }).Encode();
        Assert.Equal(1, own[8]);
        Assert.Null(SegmentHeader.Decode(own, "here").Header.GoesOnAt);
    }

    [Fact]
    public async Task A_log_of_the_other_kind_is_refused_by_name_and_left_as_it_is()
    {
        var own = new TestLog(_files);
        await (await own.OpenAsync()).DisposeAsync();
        var names = _files.NamesIn(own.Directory).ToList();
        var refused = await Assert.ThrowsAsync<JournalFormatException>(async () => await Silo().OpenAsync());
        Assert.Contains("trusted the locks", refused.Message, StringComparison.Ordinal);
        Assert.Equal(names, _files.NamesIn(own.Directory));

        var shared = new FaultyFiles(new(1));
        await (await Silo(shared).OpenAsync()).DisposeAsync();
        await Assert.ThrowsAsync<JournalFormatException>(async () => await new TestLog(shared).OpenAsync());
    }

    [Fact]
    public async Task A_cluster_that_yields_does_not_even_claim_what_another_took_over()
    {
        var blue = await Silo("blue").OpenAsync();
        await AppendAsync(blue, 2);
        await using var green = await Silo("green").OpenAsync();
        await AppendAsync(green, 2);
        await Assert.ThrowsAsync<JournalIdentityException>(async () => await Silo("blue").OpenAsync());
        await AppendAsync(green, 2);
        await CheckAsync("green");
    }

    [Fact]
    public async Task What_looks_damaged_while_its_owner_writes_is_read_again()
    {
        var owner = await Silo().OpenAsync();
        await AppendAsync(owner, 2);
        var log = Silo();
        var name = _files.NamesIn(log.Directory).First(one => one.StartsWith("segment", StringComparison.Ordinal));
        var written = _files.Get(log.Directory, name);
        var half = written.ToArray();
        half[SegmentHeader.Size + 700] ^= 1;
        _files.Put(log.Directory, name, half);
        var opening = log.OpenAsync().AsTask();
        Assert.False(opening.IsCompleted);
        _files.Put(log.Directory, name, written);
        log.Time.Advance(SharedTakeOver.OneWrite);
        await Assert.ThrowsAsync<JournalUnavailableException>(() => opening);
        await CheckAsync();

        _files.Put(log.Directory, name, half);
        opening = log.OpenAsync().AsTask();
        log.Time.Advance(SharedTakeOver.OneWrite);
        await Assert.ThrowsAsync<JournalCorruptException>(() => opening);
    }

    /// <summary>
    /// An owner stands still where it goes on in its next segment, a first taker before it has its name, and a second
    /// taker is faster than both: what one saw behind the roll record, the other did not.
    /// </summary>
    [Fact, Trait("Rule", "S17")]
    public void Wherever_an_owner_and_a_taker_stand_still_while_another_takes_over_one_chain_wins() =>
        new SimulatedScheduler().Run(async () =>
        {
            var owner = 0;
            while (await StandStillTogetherAsync(++owner, taker: 1))
            {
                var taker = 1;
                while (await StandStillTogetherAsync(owner, ++taker))
                {
                    Assert.InRange(taker, 1, 200);
                }
            }

            Assert.InRange(owner, 10, 200);
        });

    /// <returns>Whether both came as far as where they are to stand still; for the first step of a taker, the owner.
    /// </returns>
    private async Task<bool> StandStillTogetherAsync(int owner, int taker)
    {
        _files.Plan = null;
        _acknowledged.Clear();
        _root = $"/pair{owner}x{taker}";
        var first = await Silo().OpenAsync();
        var (ownerStands, ownerGoesOn) = StopAt(owner);
        var appending = UnlessFencedAsync(() => AppendAsync(first, 6));
        await Task.WhenAny(ownerStands, appending);
        if (!ownerStands.IsCompleted)
        {
            await appending;
            return false;
        }

        var (takerStands, takerGoesOn) = StopAt(taker);
        var taking = UnlessFencedAsync(async () => await Silo().OpenAsync());
        await Task.WhenAny(takerStands, taking);
        _files.Plan = null;
        ownerGoesOn.SetResult();
        await appending;
        await using (var second = await Silo().OpenAsync())
        {
            await AppendAsync(second, 3);
            takerGoesOn.TrySetResult();
            await taking;
            await UnlessFencedAsync(() => AppendAsync(second, 1));
        }

        await CheckAsync();
        return taker == 1 || takerStands.IsCompleted;
    }

    /// <summary>Lets whoever makes operation <paramref name="number"/> from here stand still before it.</summary>
    private (Task Stands, TaskCompletionSource GoesOn) StopAt(int number)
    {
        TaskCompletionSource stands = new(), goesOn = new();
        var at = _files.Operations + number;
        _files.Plan = async operation =>
        {
            if (operation.Number == at)
            {
                _interrupted = $"{operation.Action} {operation.Path}";
                stands.SetResult();
                await goesOn.Task;
            }

            return FileFault.None;
        };
        return (stands.Task, goesOn);
    }

    private static async Task UnlessFencedAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (JournalException exception) when (exception is JournalFencedException or JournalLostException
            or JournalUnavailableException)
        {
        }
    }

    /// <summary>
    /// An owner appends; before its operation number <paramref name="at"/> others take over and append.
    /// </summary>
    private async Task<bool> StandStillAsync(int at, int takers)
    {
        Begin(at);
        var owner = await Silo().OpenAsync();
        var before = _files.Operations;
        InterruptAt(before + at, takers);
        await UnlessFencedAsync(() => AppendAsync(owner, 6));
        return await EndAsync(before + at);
    }

    private async Task<bool> RaceAsync(int at, int others)
    {
        Begin(at);
        await using (var owner = await Silo().OpenAsync())
        {
            await AppendAsync(owner, 5);
        }

        var before = _files.Operations;
        InterruptAt(before + at, others);
        await UnlessFencedAsync(async () => await AppendAsync(await Silo().OpenAsync(), 4));
        return await EndAsync(before + at);
    }

    private async Task<bool> FailAsync(int seed, int at, string fault)
    {
        var files = new FaultyFiles(new((seed * 7919) + at));
        _acknowledged.Clear();
        var owner = await Silo(files).OpenAsync();
        await AppendAsync(owner, 2 + seed);
        var before = files.Operations;
        files.Plan = operation =>
        {
            if (operation.Number != before + at)
            {
                return new(FileFault.None);
            }

            if (fault == "kill")
            {
                files.Kill();
            }

            return new(fault switch
            {
                "crash" => FileFault.Crash,
                "fail" => FileFault.Fail,
                "full" => FileFault.Full,
                _ => FileFault.None,
            });
        };
        try
        {
            var taker = await Silo(files).OpenAsync();
            await AppendAsync(taker, 3);
        }
        catch (JournalException exception) when (exception is JournalLostException or JournalUnavailableException
            or JournalFullException)
        {
        }

        var reached = files.Operations >= before + at;
        files.Plan = null;
        await CheckAsync(files: files);
        files.Crash();
        await CheckAsync(files: files);
        return reached;
    }

    private void Begin(int at)
    {
        // Each case begins with a directory of its own.
        _files.Plan = null;
        _acknowledged.Clear();
        _root = $"/logs{at}";
    }

    private string _root = "/logs";
    private string _interrupted = "";

    private void InterruptAt(long number, int takers) => _files.Plan = async operation =>
    {
        if (operation.Number == number)
        {
            _files.Plan = null;
            _interrupted = $"{operation.Action} {operation.Path}";
            for (var i = 0; i < takers; i++)
            {
                await using var taker = await Silo().OpenAsync();
                await AppendAsync(taker, 3);
            }
        }

        return FileFault.None;
    };

    private async Task<bool> EndAsync(long at)
    {
        var reached = _files.Plan is null;
        _files.Plan = null;
        Assert.True(reached || _files.Operations < at);
        await CheckAsync();
        return reached;
    }

    /// <summary>All that was acknowledged to anybody is there, once and in order; and is there again.</summary>
    private async Task CheckAsync(string cluster = "cluster", FaultyFiles? files = null)
    {
        for (var again = 0; again < 2; again++)
        {
            var log = Silo(files ?? _files, cluster);
            await (await log.OpenAsync()).DisposeAsync();
            var found = log.Replayed.Select(record => (record.Kind, Convert.ToHexString(record.Bytes))).ToList();
            var expected = _acknowledged.Select(record => (record.Kind, Convert.ToHexString(record.Bytes))).ToList();
            Assert.True(
                expected.SequenceEqual(found.Where(expected.Contains)),
                $"{_interrupted}: {string.Join(' ', expected.Select(one => found.IndexOf(one)))}");
            Assert.Equal(found.Count, found.Distinct().Count());
        }
    }

    private int _records;

    private async Task AppendAsync(IJournal journal, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var records = await TestLog.AppendAsync(
                journal, TestLog.Bytes(++_records, 1200), TestLog.Bytes(++_records, 40));
            _acknowledged.AddRange(records);
        }
    }

    private TestLog Silo(string cluster = "cluster") => Silo(_files, cluster);

    private TestLog Silo(FaultyFiles files, string cluster = "cluster") =>
        new(new UnlockedFiles(files), _root, ++_silos)
        {
            IsShared = true,
            Owner = new(cluster, $"silo{_silos}"),
            Options = TestLog.SmallSegments with { YieldsToOtherClusters = true },
        };
}
