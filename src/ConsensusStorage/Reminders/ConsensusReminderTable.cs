using Orleans.Runtime;
using Orleans.Storage;

namespace Orleans.Consensus.Reminders;

/// <summary>
/// Orleans' reminders in a consensus store: each call is one of a <see cref="ReminderTree"/>. Thread-safe.
/// </summary>
internal sealed class ConsensusReminderTable(
    IGrainStorage storage, ReminderSettings settings, TimeProvider time, Random random) : IReminderTable
{
    private static readonly TimeSpan PauseWithoutAnswer = TimeSpan.FromSeconds(1);

    private readonly ReminderTree _tree = new(storage, settings, time, random);

    public Task<ReminderTableData> ReadRows(GrainId grainId) => ReadRows(grainId, CancellationToken.None);

    public async Task<ReminderTableData> ReadRows(GrainId grainId, CancellationToken cancellationToken)
    {
        var hash = grainId.GetUniformHashCode();
        var rows = await _tree.ReadAsync(
            node => node.FirstHash <= hash && node.LastHash >= hash, cancellationToken);
        return new(rows.Where(row => row.Grain == grainId).Select(row => row.ToEntry()));
    }

    public Task<ReminderTableData> ReadRows(uint begin, uint end) =>
        ReadRangeAsync(new(begin, end), CancellationToken.None);

    /// <summary>
    /// Reads for as long as it takes. What Orleans can't read when a silo starts, or takes a range over, it reads again
    /// after minutes only, and before that none of these reminders goes off.
    /// </summary>
    public async Task<ReminderTableData> ReadRows(uint begin, uint end, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                // A silo that stops waits for no read: the others may be gone already.
                return await ReadRangeAsync(new(begin, end), cancellationToken);
            }
            catch (ConsensusStorageException exception) when (
                exception is (ConsensusUnavailableException or ConsensusOutcomeUnknownException)
                && cancellationToken.CanBeCanceled)
            {
                await Task.Delay(PauseWithoutAnswer, time, cancellationToken);
            }
        }
    }

    public Task<ReminderEntry?> ReadRow(GrainId grainId, string reminderName) =>
        ReadRow(grainId, reminderName, CancellationToken.None);

    public async Task<ReminderEntry?> ReadRow(
        GrainId grainId, string reminderName, CancellationToken cancellationToken)
    {
        var leaf = await _tree.ReadAsync(ReminderKey.Of(grainId, reminderName), cancellationToken);
        return leaf.Find(grainId, reminderName)?.ToEntry();
    }

    public Task<string?> UpsertRow(ReminderEntry entry) => UpsertRow(entry, CancellationToken.None);

    public async Task<string?> UpsertRow(ReminderEntry entry, CancellationToken cancellationToken)
    {
        var row = ReminderRow.Of(entry, NewName());
        var key = ReminderKey.Of(row.Grain, row.Name);
        await _tree.ChangeAsync(key, row.ETag, node => node.With(row), cancellationToken);
        return row.ETag;
    }

    public Task<bool> RemoveRow(GrainId grainId, string reminderName, string eTag) =>
        RemoveRow(grainId, reminderName, eTag, CancellationToken.None);

    public Task<bool> RemoveRow(
        GrainId grainId, string reminderName, string eTag, CancellationToken cancellationToken) => _tree.ChangeAsync(
            ReminderKey.Of(grainId, reminderName),
            NewName(),
            node => node.Find(grainId, reminderName) is { } row && row.ETag == eTag ? node.Without(row) : null,
            cancellationToken);

    public Task TestOnlyClearTable() => TestOnlyClearTable(CancellationToken.None);

    public Task TestOnlyClearTable(CancellationToken cancellationToken) =>
        _tree.ClearAsync(NewName, cancellationToken);

    private async Task<ReminderTableData> ReadRangeAsync(ReminderRange range, CancellationToken cancellationToken)
    {
        var rows = await _tree.ReadAsync(range.Overlaps, cancellationToken);
        return new(rows.Select(row => row.ToEntry()).Where(entry => range.Covers(entry.GrainId.GetUniformHashCode())));
    }

    private string NewName() => LogId.Create(random).ToString();
}
