namespace Orleans.Consensus.Journaling.Blobs;

/// <summary>
/// Logs as append blobs, each in the container of its replica. Anybody may open a log at any time; doing so takes it
/// from whoever had it (S17). Thread rule: any.
/// </summary>
/// <param name="containers">The container of a replica's log.</param>
/// <param name="folder">What the blobs' names begin with; each log is below it under its replica's name.</param>
/// <param name="resolved">Told of appends that didn't simply succeed, on any thread; must be quick.</param>
/// <param name="firstFolder">The folder of the first of the groups that these logs are one of, or null.</param>
internal sealed class BlobJournalStore(
    Func<ReplicaId, IAppendBlobs> containers,
    string folder,
    JournalOptions options,
    TimeProvider time,
    Random random,
    Action<AppendResolution>? resolved = null,
    string? firstFolder = null) : IJournalStore
{
    // A young blob takes no more space than an old one.
    private readonly JournalOptions _options = options with { FirstSegmentBytes = options.SegmentBytes };

    public bool IsExclusive => false;

    /// <summary>Appends that a blob takes before the log goes on in the next one.</summary>
    public int MaxAppends { get; init; } = BlobSegmentStore.AppendsPerBlob;

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
            blobs, $"{folder}/{expected.Replica.Name}", retry, resolved ?? (static _ => { }))
        {
            MaxAppends = MaxAppends,
        };

        // Appends can't be cancelled one by one; who gives the opening up gives up the fence with all its tries.
        await using var cancelling = cancellationToken.UnsafeRegister(
            static retry => ((BlobRetry)retry!).Close(), retry);
        try
        {
            // The same bytes at the same place are taken for one's own (S18): no two fences may be the same.
            var opener = owner with { Silo = $"{owner.Silo}/{new LogId(NewId())}" };
            var factory = new SegmentFactory(store, time, NewId);
            var opening = new JournalOpening(expected, opener, from, replay);
            await VerifyShapeAsync(blobs, store, expected, retry, cancellationToken);
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
            throw new JournalUnavailableException(
                $"The log of replica {expected.Replica} can't be opened in {blobs.Location}: {exception.Message} "
                + "Check that the storage account can be reached, and that this process may create, read and append "
                + "to blobs in that container.",
                exception);
        }
        finally
        {
            if (store is not null)
            {
                await store.DisposeAsync();
            }
        }
    }

    /// <summary>
    /// A log that isn't there yet must fit the first group's. Who counts more groups than there are finds no logs of
    /// those beyond: it must not make any, and keep in them what the others keep elsewhere.
    /// </summary>
    /// <exception cref="JournalIdentityException">It doesn't fit.</exception>
    private async ValueTask VerifyShapeAsync(
        IAppendBlobs blobs,
        BlobSegmentStore own,
        JournalIdentity expected,
        BlobRetry retry,
        CancellationToken cancellationToken)
    {
        if (firstFolder is null || firstFolder == folder || (await own.ListAsync(cancellationToken)).Count > 0)
        {
            return;
        }

        var store = new BlobSegmentStore(
            blobs, $"{firstFolder}/{expected.Replica.Name}", retry, resolved ?? (static _ => { }));
        if (await store.OpenAsync(1, 0, cancellationToken) is { Length: > 0 } segment)
        {
            var bytes = new byte[SegmentHeader.Size];
            await segment.ReadAsync(0, bytes, cancellationToken);
            var first = SegmentHeader.Decode(bytes, $"Segment 1 of the log in {store.Location}").Header.Identity;
            IdentityCheck.Verify(first, expected with { Store = first.Store }, store.Location);
        }
    }

    private UInt128 NewId()
    {
        lock (random)
        {
            return LogId.Create(random).Value;
        }
    }
}
