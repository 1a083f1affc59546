namespace Orleans.Consensus.Journaling;

/// <summary>A record that is carried from the end of a log into the segment that takes it over.</summary>
internal readonly record struct CarriedRecord(byte Kind, byte[] Bytes);

/// <summary>
/// Where a log in a shared directory is left: behind the last batch but one. The last one may not be durable, whoever
/// wrote it, so it is written again where the log goes on.
/// </summary>
/// <param name="Hash">Of the last batch that stays.</param>
/// <param name="Id">Its sequence number.</param>
/// <param name="Bytes">Written bytes up to there, of all segments.</param>
/// <param name="Records">The records of the last batch, but for the journal's own.</param>
internal sealed record SharedEnd(
    LogSegment Segment, long Offset, UInt128 Hash, long Id, long Bytes, IReadOnlyList<CarriedRecord> Records);

/// <summary>
/// Takes a log in a shared directory over, also from an owner who runs on and whom no lock keeps out. Four steps, each
/// durable before the next: a claim; reading the log to its end; a look whether the claim still stands; and a segment
/// with the last batch and the fence, under a name that only one can give. <c>docs/journal-format.md</c> argues why no
/// acknowledged batch is lost. A loss of power between any two leaves the log as it was, or taken over.
/// </summary>
internal sealed class SharedTakeOver(
    ISharedSegmentStore store, SegmentFactory factory, JournalOptions options, JournalOpening opening)
{
    /// <summary>Longer than the write of a batch takes.</summary>
    public static readonly TimeSpan OneWrite = TimeSpan.FromSeconds(1);

    /// <summary>The log as it goes on in a segment of its own, whose only batch has the fence.</summary>
    /// <exception cref="SegmentTakenException">Somebody else takes it over at the same moment.</exception>
    public async ValueTask<RecoveredLog> RunAsync(CancellationToken cancellationToken)
    {
        await Silent().VerifyIdentityAsync(cancellationToken);
        await VerifyTurnAsync(cancellationToken);
        await store.ClaimAsync(opening.Owner, cancellationToken);
        var log = await ReadAsync(cancellationToken);
        if (log is not null && options.YieldsToOtherClusters)
        {
            IdentityCheck.VerifyTurn(log.Owners, opening.Owner, store.Location);
        }

        await store.VerifyClaimAsync(cancellationToken);
        return await GoOnAsync(log, cancellationToken);
    }

    /// <summary>
    /// A claim fences whoever has the log, so who is not to have it looks first; again when it has read the log.
    /// </summary>
    private async ValueTask VerifyTurnAsync(CancellationToken cancellationToken)
    {
        if (options.YieldsToOtherClusters
            && await store.FindClaimAsync(cancellationToken) is { } cluster
            && cluster != opening.Owner.Cluster)
        {
            if (await Silent().RunAsync(cancellationToken) is { } log)
            {
                IdentityCheck.VerifyTurn(log.Owners, opening.Owner, store.Location);
            }
        }
    }

    /// <summary>
    /// A former owner may be in the middle of its last write, and a file server may show any part of that: what looks
    /// damaged is damage only if it stays so.
    /// </summary>
    private async ValueTask<RecoveredLog?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await new JournalRecovery(store, opening.Expected, opening.From, opening.Replay)
                .RunAsync(cancellationToken);
        }
        catch (JournalCorruptException exception)
        {
            await factory.PauseAsync(OneWrite, cancellationToken);
            await Silent().RunAsync(cancellationToken);
            throw new IOException("Its end was being written while it was read.", exception);
        }
    }

    /// <summary>A look that shows nothing.</summary>
    private JournalRecovery Silent() => new(store, opening.Expected, opening.From, static (_, _, _) => { });

    private async ValueTask<RecoveredLog> GoOnAsync(RecoveredLog? log, CancellationToken cancellationToken)
    {
        var end = log?.End;
        factory.Epoch = (log?.Epoch ?? 0) + 1;
        var batch = new JournalBatch();
        var places = (end?.Records ?? []).Select(record => batch.Add(record.Kind, record.Bytes)).ToList();
        new FenceRecord(factory.Epoch, factory.Now, opening.Owner).AddTo(batch);

        if (end is { Offset: SegmentHeader.Size, Segment.Header: { GoesOnAt: 0, Number: > 1 } rolled })
        {
            await KeepRollAsync(rolled, cancellationToken);
        }

        var header = factory.HeaderBehind(
            end?.Segment.Header.Identity ?? opening.Expected, end, options.CapacityOf(1, BatchImage.ExtentOf(batch)));
        var (bytes, hash) = header.Encode();
        var image = new BatchImage();
        image.Build(batch, header, SegmentHeader.Size, (end?.Id ?? 0) + 1, end?.Hash ?? hash);
        var segment = new LogSegment(
            await store.CreateBehindAsync(header, (byte[])[.. bytes, .. image.Bytes.Span], cancellationToken),
            header,
            hash);

        var start = new JournalPosition(header.Number, SegmentHeader.Size + BatchHeader.Size);
        foreach (var (record, place) in (end?.Records ?? []).Zip(places))
        {
            opening.Replay(record.Kind, start.Plus(place), record.Bytes);
        }

        var offset = SegmentHeader.Size + image.Bytes.Length;
        return new(
            [.. log?.Segments.Take(header.Number - 1) ?? [], segment],
            Spare: null,
            offset,
            TornUntil: offset,
            image.Hash,
            (end?.Id ?? 0) + 1,
            LastBatch: null,
            Batches: 1,
            factory.Epoch,
            log?.Owners ?? new(null, new HashSet<string>()),
            (end?.Bytes ?? 0) + offset);
    }

    /// <summary>
    /// The only batch behind a roll record may have come after another taker read the log: that one would go on before
    /// the roll record. Whoever takes that name first, wins; a header without a cut says that the roll record stands.
    /// </summary>
    private async ValueTask KeepRollAsync(SegmentHeader rolled, CancellationToken cancellationToken)
    {
        var header = factory.HeaderOfRoll(rolled);
        try
        {
            await store.CreateBehindAsync(header, header.Encode().Bytes, cancellationToken);
        }
        catch (SegmentTakenException)
        {
            var bytes = new byte[SegmentHeader.Size];
            var found = await store.OpenBehindAsync(rolled.Number, rolled.Previous, cancellationToken);
            var length = found is null ? 0 : await found.ReadAsync(0, bytes, cancellationToken);
            if (SegmentHeader.Decode(bytes.AsSpan(0, length), store.Location).Header.GoesOnAt != 0)
            {
                throw;
            }
        }
    }
}
