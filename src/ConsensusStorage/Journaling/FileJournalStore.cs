using Orleans.Consensus.Journaling.Files;

namespace Orleans.Consensus.Journaling;

/// <summary>
/// Logs as directories of one root, each named after its replica. The lock of the directory keeps a second owner out;
/// the fence record documents who had it. Thread rule: any.
/// </summary>
/// <param name="isShared">Other machines have the directories, too: a lock alone is not to be trusted.</param>
internal sealed class FileJournalStore(
    IFileLayer files, string root, JournalOptions options, TimeProvider time, Random random, bool isShared = false)
    : IJournalStore
{
    public bool IsExclusive => true;

    public async ValueTask MarkAsync(JournalIdentity expected, bool mayCreate, CancellationToken cancellationToken)
    {
        var path = Path.Combine(root, expected.Replica.Name);
        try
        {
            await using var store = await OpenStoreAsync(
                path, "a silo that looks whose store it is", cancellationToken);
            var factory = new SegmentFactory(store, time, NewId);
            await StoreMark.VerifyAsync(store, factory, expected, mayCreate, cancellationToken);
        }
        catch (DiskFullException exception)
        {
            throw NoRoom(expected, path, exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw CannotOpen(expected, path, exception);
        }

        // Whoever looks is not to go on on a thread of the disk.
        await Task.Yield();
    }

    public async ValueTask<IJournal> OpenAsync(
        JournalIdentity expected,
        JournalOwner owner,
        JournalPosition? from,
        JournalReplay replay,
        CancellationToken cancellationToken)
    {
        var path = Path.Combine(root, expected.Replica.Name);
        ISegmentStore? store = null;
        try
        {
            store = await OpenStoreAsync(
                path, $"silo {owner.Silo} of cluster {owner.Cluster}", cancellationToken);
            var factory = new SegmentFactory(store, time, NewId);
            var opening = new JournalOpening(expected, owner, from, replay);
            var journal = await Journal.OpenAsync(store, factory, options, opening, cancellationToken);
            store = null;

            // Whoever opens logs is not to go on on a thread of this one.
            await Task.Yield();
            return journal;
        }
        catch (SegmentTakenException exception)
        {
            throw new JournalFencedException(
                $"The log of replica {expected.Replica} in {path} was taken over by another silo at the same moment: "
                + exception.Message,
                exception);
        }
        catch (DiskFullException exception)
        {
            throw NoRoom(expected, path, exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw CannotOpen(expected, path, exception);
        }
        finally
        {
            if (store is not null)
            {
                await store.DisposeAsync();
            }
        }
    }

    private async ValueTask<ISegmentStore> OpenStoreAsync(
        string path, string owner, CancellationToken cancellationToken) => isShared
            ? await SharedSegmentStore.OpenAsync(files, path, owner, NewId, cancellationToken)
            : await FileSegmentStore.OpenAsync(files, path, owner, cancellationToken);

    private static JournalFullException NoRoom(JournalIdentity expected, string path, DiskFullException exception) =>
        new(
            $"There is no room to open the log of replica {expected.Replica} in {path}: {exception.Message}",
            exception);

    private static JournalUnavailableException CannotOpen(JournalIdentity expected, string path, Exception exception) =>
        new(
            $"The log of replica {expected.Replica} can't be opened in {path}: {exception.Message} Check that the path "
            + "is a directory on a working disk, and that this process may read and write it.",
            exception);

    private UInt128 NewId() => LogId.Create(random).Value;
}
