using Orleans.Consensus.Journaling;

namespace Orleans.Consensus.Tests.Journaling.Blobs;

/// <summary>
/// What must be true of one log that several owners write to: what was acknowledged is there, once, at its place; what
/// was refused because the log was taken over is not; and each opening saw exactly what all owners before it had done.
/// </summary>
internal sealed class SharedLog
{
    private readonly List<(long Epoch, TestRecord Record)> _acknowledged = [];
    private readonly List<byte[]> _unknown = [];
    private readonly List<byte[]> _fenced = [];
    private readonly List<(long Epoch, string Silo, IReadOnlyList<TestRecord> Replayed)> _openings = [];
    private readonly List<(IJournal Journal, long Epoch)> _open = [];
    private int _records;

    public int Acknowledged => _acknowledged.Count;

    public int Fenced => _fenced.Count;

    /// <summary>Opens the log; the journal stays open until <see cref="CheckAsync"/>.</summary>
    public async Task<IJournal> OpenAsync(BlobSilo silo)
    {
        var journal = await silo.OpenAsync();
        _openings.Add((journal.Epoch, silo.Name, [.. silo.Replayed]));
        _open.Add((journal, journal.Epoch));
        return journal;
    }

    /// <summary>The same; null if it fails as it may when the service fails.</summary>
    public async Task<IJournal?> TryOpenAsync(BlobSilo silo)
    {
        try
        {
            return await OpenAsync(silo);
        }
        catch (Exception exception) when (exception is JournalUnavailableException or JournalLostException)
        {
            return null;
        }
    }

    /// <summary>Appends one record of its own and notes the outcome; false if the journal is closed now.</summary>
    public async Task<bool> TryAppendAsync(IJournal journal, int length = 700)
    {
        var bytes = TestLog.Bytes(++_records, length);
        BitConverter.TryWriteBytes(bytes, _records);
        try
        {
            _acknowledged.Add((journal.Epoch, Assert.Single(await TestLog.AppendAsync(journal, bytes))));
            return true;
        }
        catch (JournalFencedException)
        {
            _fenced.Add(bytes);
            return false;
        }
        catch (JournalLostException)
        {
            _unknown.Add(bytes);
            return false;
        }
    }

    /// <summary>Checks all of it against what a last opening finds; afterwards nobody else can append.</summary>
    public async Task CheckAsync(BlobBench bench, string because)
    {
        var last = bench.Silo("last");
        var end = await OpenAsync(last);
        foreach (var (journal, epoch) in _open.Where(one => one.Epoch < end.Epoch))
        {
            var closed = await Record.ExceptionAsync(() => TestLog.AppendAsync(journal, [1, 2, 3]));
            Assert.True(closed is JournalFencedException or JournalLostException, $"epoch {epoch}: {because}");
            await journal.DisposeAsync();
        }

        Assert.True(await TryAppendAsync(end), because);
        await end.DisposeAsync();
        var found = await bench.ReplayAsync();
        CheckRecords(found, because);
        CheckOpenings(found, because);
    }

    private void CheckRecords(IReadOnlyList<TestRecord> found, string because)
    {
        var texts = found.Select(one => Convert.ToHexString(one.Bytes)).ToList();
        var acknowledged = _acknowledged.Select(one => Convert.ToHexString(one.Record.Bytes)).ToHashSet();
        var unknown = _unknown.Select(Convert.ToHexString).ToHashSet();
        Assert.True(texts.Distinct().Count() == texts.Count, $"a record is there twice: {because}");
        Assert.True(
            texts.All(text => acknowledged.Contains(text) || unknown.Contains(text)),
            $"a record is there that was refused: {because}");
        Assert.True(
            _acknowledged.All(one => found.Contains(one.Record)), $"an acknowledged record is not there: {because}");
    }

    private void CheckOpenings(IReadOnlyList<TestRecord> found, string because)
    {
        Assert.True(_openings.Select(one => one.Epoch).Distinct().Count() == _openings.Count, because);
        foreach (var (epoch, silo, replayed) in _openings)
        {
            Assert.True(
                found.Take(replayed.Count).SequenceEqual(replayed), $"{silo} saw something else: {because}");
            var before = _acknowledged.Where(one => one.Epoch < epoch).Select(one => one.Record).ToList();
            var after = _acknowledged.Where(one => one.Epoch >= epoch).Select(one => one.Record).ToList();
            Assert.True(
                before.All(replayed.Contains) && !after.Any(replayed.Contains),
                $"{silo} did not see what was before its fence, and only that: {because}");
        }
    }
}
