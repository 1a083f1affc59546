namespace Orleans.Consensus.Journaling.Blobs;

/// <summary>
/// Logs as append blobs, each in the container of its replica. Anybody may open a log at any time; doing so takes it
/// from whoever had it (S17). Thread rule: any.
/// </summary>
/// <param name="containers">The container of a replica's log.</param>
/// <param name="folder">What the blobs' names begin with; each log is below it under its replica's name.</param>
/// <param name="resolved">Told of appends that didn't simply succeed, on any thread; must be quick.</param>
internal sealed class BlobJournalStore(
    Func<ReplicaId, IAppendBlobs> containers,
    string folder,
    JournalOptions options,
    TimeProvider time,
    Random random,
    Action<AppendResolution>? resolved = null) : IJournalStore
{
    // A young blob takes no more space than an old one.
    private readonly JournalOptions _options = options with { FirstSegmentBytes = options.SegmentBytes };

    public bool IsExclusive => false;

    /// <summary>Appends that a blob takes before the log goes on in the next one.</summary>
    public int MaxAppends { get; init; } = BlobSegmentStore.AppendsPerBlob;

    public async ValueTask MarkAsync(JournalIdentity expected, bool mayCreate, CancellationToken cancellationToken)
    {
        var blobs = containers(expected.Replica);
        await using var store = new BlobSegmentStore(
            blobs, FolderOf(expected), NewOpener(), new BlobRetry(time, random), resolved ?? (static _ => { }));
        try
        {
            var factory = new SegmentFactory(store, time, NewId);
            await StoreMark.VerifyAsync(store, factory, expected, mayCreate, cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw CannotOpen(expected, blobs, exception);
        }
    }

    public async ValueTask<IJournal> OpenAsync(
        JournalIdentity expected,
        JournalOwner owner,
        JournalPosition? from,
        JournalReplay replay,
        CancellationToken cancellationToken)
    {
        var blobs = containers(expected.Replica);
        var retry = new BlobRetry(time, random);
        BlobSegmentStore? store = new(
            blobs, FolderOf(expected), NewOpener(), retry, resolved ?? (static _ => { }))
        {
            MaxAppends = MaxAppends,
        };

        // Appends can't be cancelled one by one; who gives the opening up gives up the fence with all its tries.
        await using var cancelling = cancellationToken.UnsafeRegister(
            static retry => ((BlobRetry)retry!).Close(), retry);
        try
        {
            // The same bytes at the same place are taken for one's own (S18): no two fences may be the same.
            var opener = owner with { Silo = $"{owner.Silo}/{LogId.Create(random)}" };
            var factory = new SegmentFactory(store, time, NewId);
            var opening = new JournalOpening(expected, opener, from, replay);
            var journal = await Journal.OpenAsync(store, factory, _options, opening, cancellationToken);
            store = null;
            return journal;
        }
        catch (Exception exception) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException("The opening was given up.", exception, cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw CannotOpen(expected, blobs, exception);
        }
        finally
        {
            if (store is not null)
            {
                await store.DisposeAsync();
            }
        }
    }

    private static JournalUnavailableException CannotOpen(
        JournalIdentity expected, IAppendBlobs blobs, Exception exception) => new(
            $"The log of replica {expected.Replica} can't be opened in {blobs.Location}: {exception.Message} "
            + "Check that the storage account can be reached, and that this process may create, read and append "
            + "to blobs in that container.",
            exception,
            mayPass: exception is TransientBlobException);

    private string FolderOf(JournalIdentity identity) => $"{folder}/{identity.Replica.Name}";

    private Guid NewOpener() => Guid.ParseExact(LogId.Create(random).ToString(), "N");

    private UInt128 NewId() => LogId.Create(random).Value;
}
