using Orleans.Consensus.Journaling;
using Orleans.Consensus.Journaling.Files;

namespace Orleans.Consensus.Tests.Journaling;

/// <summary>What a log does when nothing goes wrong, on every file layer.</summary>
public sealed class JournalTests : IDisposable
{
    private readonly string _root = Path.Combine(Path.GetTempPath(), $"journal-tests-{Guid.NewGuid():N}");

    public static TheoryData<string> Layers => ["disk", "memory", "faulty"];

    public void Dispose()
    {
        if (Directory.Exists(_root))
        {
            Directory.Delete(_root, recursive: true);
        }
    }

    [Theory]
    [MemberData(nameof(Layers))]
    public async Task What_was_appended_is_replayed_in_order_after_many_rolls(string layer)
    {
        var log = LogOn(layer);
        var appended = new List<TestRecord>();
        await using (var journal = await log.OpenAsync())
        {
            for (var i = 0; i < 200; i++)
            {
                appended.AddRange(await TestLog.AppendAsync(
                    journal, TestLog.Bytes(i, i * 7 % 3000), new byte[i * 11 % 2000], []));
            }

            Assert.True(appended[^1].Position.Segment > 10);
        }

        Assert.Equal(appended, await log.ReplayAsync());
    }

    [Theory]
    [MemberData(nameof(Layers))]
    public async Task Records_are_read_back_from_every_segment(string layer)
    {
        var log = LogOn(layer);
        await using var journal = await log.OpenAsync();
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
    }

    [Theory]
    [MemberData(nameof(Layers))]
    public async Task A_second_opener_is_refused_until_the_first_has_closed(string layer)
    {
        var log = LogOn(layer);
        var first = await log.OpenAsync();
        var refused = await Assert.ThrowsAsync<JournalInUseException>(async () => await log.OpenAsync());
        Assert.Contains(log.Directory, refused.Message, StringComparison.Ordinal);
        Assert.Contains(TestLog.Silo, refused.Message, StringComparison.Ordinal);

        await first.DisposeAsync();
        await using var second = await log.OpenAsync();
    }

    private TestLog LogOn(string layer) => layer switch
    {
        "disk" => new(new DiskFiles(), _root),
        "memory" => new(new MemoryFiles()),
        _ => new(new FaultyFiles(new Random(1))),
    };
}
