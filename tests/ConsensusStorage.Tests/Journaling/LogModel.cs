using Orleans.Consensus.Journaling;

namespace Orleans.Consensus.Tests.Journaling;

/// <summary>
/// What a log must hold: all that was acknowledged, and after it, whole or not at all, the one batch whose append
/// ended without an answer.
/// </summary>
internal sealed class LogModel
{
    private readonly List<byte[]> _acknowledged = [];
    private byte[][] _inDoubt = [];

    public int Count => _acknowledged.Count;

    /// <summary>Appends and notes the outcome. What the append throws goes on.</summary>
    public async Task AppendAsync(IJournal journal, params byte[][] records)
    {
        Assert.Empty(_inDoubt);
        try
        {
            await TestLog.AppendAsync(journal, records);
            _acknowledged.AddRange(records);
        }
        catch (JournalFullException)
        {
            throw;
        }
        catch (JournalLostException)
        {
            _inDoubt = records;
            throw;
        }
    }

    /// <summary>Checks what an opening showed, which is what the log holds from then on.</summary>
    public void Check(IEnumerable<TestRecord> replayed, string because)
    {
        var found = replayed.Select(record => record.Bytes).ToList();
        var expected = found.Count > _acknowledged.Count ? [.. _acknowledged, .. _inDoubt] : _acknowledged;
        Assert.True(
            found.Count == expected.Count && found.Zip(expected).All(pair => pair.First.SequenceEqual(pair.Second)),
            $"{found.Count} records were replayed, {_acknowledged.Count} acknowledged, {_inDoubt.Length} in doubt: "
            + because);
        _acknowledged.Clear();
        _acknowledged.AddRange(found);
        _inDoubt = [];
    }
}
