using Orleans.Consensus.Journaling;

namespace Orleans.Consensus.Engines;

/// <summary>
/// Opens the log of a hosted replica, as often as it has to be, and remembers what stood in it: a place that gives back
/// less than it once took has forgotten promises (S13). Not thread-safe.
/// </summary>
/// <param name="marks">
/// Where the whole store has its mark, if its logs are named after their groups; else null.
/// </param>
internal sealed class HostedLog(
    ReplicaId replica,
    StoreSettings settings,
    IJournalStore journals,
    (IJournalStore Journals, string Store)? marks,
    JournalOwner owner,
    ReplicaDirectory directory,
    Random random)
{
    private (LogId Log, long Bytes)? _held;

    /// <summary>Another silo can come by the log while this one thinks that it has it; owner epochs tell them apart.
    /// </summary>
    public bool CanMove => settings.Floats || !journals.IsExclusive;

    /// <exception cref="JournalException">It can't be used; the message says what to do.</exception>
    public async Task<IJournal> OpenAsync(AcceptorIndex index, CancellationToken cancellationToken)
    {
        var expected = new JournalIdentity(
            settings.Service,
            settings.Store,
            replica,
            settings.Replicas.ToString(),
            settings.Groups,
            settings.Generation,
            LogId.Create(random));
        if (marks is { } mark)
        {
            await mark.Journals.MarkAsync(
                expected with { Store = $"{mark.Store}, floating" }, !directory.IsFormed, cancellationToken);
        }

        var journal = await journals.OpenAsync(expected, owner, null, index.Replay, cancellationToken);

        // An opening adds a fence. In a shared directory that may take the place of a roll record of the same size.
        var added = settings.Floats && journals.IsExclusive ? 0 : 1;
        if (_held is { } held && held.Log == journal.Identity.LogId && journal.Bytes < held.Bytes + added)
        {
            await journal.DisposeAsync();
            throw JournalDamage.At(
                $"The log of replica {replica}",
                $"it has {journal.Bytes} bytes, but {held.Bytes} were written: it was put back from an older copy");
        }

        return journal;
    }

    /// <summary>Closes what was opened.</summary>
    public async ValueTask CloseAsync(IJournal journal)
    {
        _held = (journal.Identity.LogId, journal.Bytes);
        await journal.DisposeAsync();
    }
}
