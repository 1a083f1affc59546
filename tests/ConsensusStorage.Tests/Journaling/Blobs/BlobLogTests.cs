using Orleans.Consensus.Journaling;

namespace Orleans.Consensus.Tests.Journaling.Blobs;

/// <summary>What a log in blobs does when nothing goes wrong.</summary>
public sealed class BlobLogTests
{
    private readonly BlobBench _bench = new();

    [Fact]
    public void What_was_appended_to_blobs_is_replayed_in_order_after_many_rolls() => _bench.Run(async () =>
    {
        var appended = new List<TestRecord>();
        await using (var journal = await _bench.Silo("s1").OpenAsync())
        {
            for (var i = 0; i < 200; i++)
            {
                appended.AddRange(await TestLog.AppendAsync(
                    journal, TestLog.Bytes(i, i * 7 % 3000), new byte[i * 11 % 2000], []));
            }

            Assert.True(appended[^1].Position.Segment > 10);
            Assert.Equal(SizeOfChain(), journal.Bytes);
        }

        Assert.Equal(appended, await _bench.ReplayAsync());
    });

    [Fact]
    public void Records_are_read_back_from_every_blob() => _bench.Run(async () =>
    {
        await using var journal = await _bench.Silo("s1").OpenAsync();
        var appended = new List<TestRecord>();
        for (var i = 0; i < 60; i++)
        {
            appended.AddRange(await TestLog.AppendAsync(journal, TestLog.Bytes(i, 1000)));
        }

        foreach (var record in appended)
        {
            var bytes = await journal.ReadAsync(record.Position, record.Bytes.Length, CancellationToken.None);
            Assert.Equal(record.Bytes, bytes.ToArray());
        }
    });

    [Fact]
    public void Only_the_first_blob_has_a_fixed_name_the_others_hold_their_ids() => _bench.Run(async () =>
    {
        await using var journal = await _bench.Silo("s1").OpenAsync();
        for (var i = 0; i < 60; i++)
        {
            await TestLog.AppendAsync(journal, TestLog.Bytes(i, 1000));
        }

        var names = _bench.Account.Names;
        Assert.Equal(BlobBench.First, names[0]);
        Assert.All(names.Skip(1), name =>
        {
            var (header, _) = SegmentHeader.Decode(_bench.Account.Get(name).AsSpan(0, SegmentHeader.Size), name);
            Assert.Equal($"logs/a/{header.Number:D8}-{header.Id:x32}", name);
        });
    });

    [Fact]
    public void A_blob_takes_a_thousand_appends_whoever_made_them() => _bench.Run(async () =>
    {
        _bench.Options = new();
        var count = 0;
        while (count < 2100)
        {
            await using var journal = await _bench.Silo("s1").OpenAsync();
            for (var i = 0; i < 300; i++, count++)
            {
                await TestLog.AppendAsync(journal, [1, 2, 3]);
            }
        }

        var full = _bench.Account.Names.Where(name => _bench.Account.BlocksOf(name) > 2).SkipLast(1).ToList();
        Assert.Equal(2, full.Count);
        Assert.All(full, name => Assert.Equal(1 + 1000, _bench.Account.BlocksOf(name)));
        Assert.Equal(count, (await _bench.ReplayAsync()).Count);
    });

    [Fact]
    public void A_hundred_thousand_records_are_read_with_few_requests() => _bench.Run(async () =>
    {
        _bench.Options = new();
        var record = TestLog.Bytes(1, 100);
        await using (var journal = await _bench.Silo("s1").OpenAsync())
        {
            for (var i = 0; i < 1000; i++)
            {
                await TestLog.AppendAsync(journal, [.. Enumerable.Repeat(record, 100)]);
            }
        }

        var before = _bench.Account.Requests;
        Assert.Equal(100_000, (await _bench.ReplayAsync()).Count);
        Assert.InRange(_bench.Account.Requests - before, 1, 20);
    });

    [Fact]
    public void A_checkpoint_spares_showing_what_it_covers() => _bench.Run(async () =>
    {
        var appended = new List<TestRecord>();
        await using (var journal = await _bench.Silo("s1").OpenAsync())
        {
            for (var i = 0; i < 60; i++)
            {
                appended.AddRange(await TestLog.AppendAsync(journal, TestLog.Bytes(i, 1000)));
            }
        }

        var silo = _bench.Silo("s2");
        await using var reopened = await silo.OpenAsync(appended[40].Position);
        Assert.Equal(appended[41..], silo.Replayed);
    });

    [Fact]
    public void An_open_log_in_blobs_asks_for_nothing_while_it_is_idle() => _bench.Run(async () =>
    {
        await using var journal = await _bench.Silo("s1").OpenAsync();
        var before = _bench.Account.Requests;
        await _bench.PassAsync(TimeSpan.FromHours(1));
        Assert.Equal(before, _bench.Account.Requests);
    });

    /// <summary>A segment that was created ahead has nothing but its header.</summary>
    private long SizeOfChain() => _bench.Account.Names
        .Where(name => _bench.Account.BlocksOf(name) > 1)
        .Sum(name => (long)_bench.Account.Get(name).Length);
}
