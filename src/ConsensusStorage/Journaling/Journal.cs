using System.Collections.Immutable;

namespace Orleans.Consensus.Journaling;

/// <summary>
/// The log over any kind of segments: frames batches, chains them by hash, rolls from segment to segment, recovers.
/// <para>Thread rule: one append at a time, reads at any time.</para>
/// </summary>
internal sealed class Journal : IJournal
{
    private readonly ISegmentStore _store;
    private readonly SegmentFactory _factory;
    private readonly JournalOptions _options;
    private readonly BatchImage _image = new();
    private readonly JournalBatch _rollBatch = new();
    private readonly CancellationTokenSource _closing = new();
    private readonly RoomPause _room;

    /// <summary>Each try that is lost is a batch that somebody else appended.</summary>
    private const int MaxTakeOvers = 1000;

    /// <summary>An owner that was faster so often is asked to wait.</summary>
    private const int PatientTakeOvers = 2;

    /// <summary>Segments that others created, whose number says nothing of how large the log is.</summary>
    private readonly int _others;

    private ImmutableArray<LogSegment> _segments;
    private Task<LogSegment>? _spare;
    private long _offset;
    private int _batches;
    private UInt128 _lastHash;
    private long _lastId;
    private long _sealedBytes;
    private int _appending;
    private bool _isOpen;
    private volatile Exception? _failure;
    private volatile bool _disposed;

    private Journal(ISegmentStore store, SegmentFactory factory, JournalOptions options, RecoveredLog log)
    {
        _store = store;
        _factory = factory;
        _options = options;
        _room = new(factory.Clock);
        _segments = [.. log.Segments];
        _others = store is ISharedSegmentStore ? _segments.Length - 1 : 0;
        _spare = log.Spare is null ? null : Task.FromResult(log.Spare);
        _offset = log.Offset;
        _batches = log.Batches;
        _lastHash = log.LastHash;
        _lastId = log.LastId;
        _sealedBytes = log.Bytes - log.Offset;
        Identity = _segments[^1].Header.Identity;
    }

    public JournalIdentity Identity { get; }

    public long Epoch => _factory.Epoch;

    public long Bytes => Volatile.Read(ref _sealedBytes) + Volatile.Read(ref _offset);

    public bool HasRoom => _room.Problem is null;

    private LogSegment Tail => _segments[^1];

    /// <summary>
    /// Opens or creates the log that is in <paramref name="store"/>, which the journal owns from then on. On failure
    /// the caller disposes the store.
    /// </summary>
    public static async ValueTask<Journal> OpenAsync(
        ISegmentStore store,
        SegmentFactory factory,
        JournalOptions options,
        JournalOpening opening,
        CancellationToken cancellationToken)
    {
        if (store is ISharedSegmentStore shared)
        {
            var takeOver = new SharedTakeOver(shared, factory, options, opening);
            return new(store, factory, options, await takeOver.RunAsync(cancellationToken)) { _isOpen = true };
        }

        var recovery = new JournalRecovery(store, opening.Expected, opening.From, opening.Replay);
        var log = await recovery.RunAsync(cancellationToken)
            ?? await FirstSegment.CreateAsync(recovery, factory, options, opening, cancellationToken);
        await using var hold = new TailHold();
        for (var tries = 1; ; tries++)
        {
            if (options.YieldsToOtherClusters)
            {
                IdentityCheck.VerifyTurn(log.Owners, opening.Owner, store.Location);
            }

            try
            {
                var journal = new Journal(store, factory, options, log);
                await journal.TakeOverAsync(log, opening.Owner, cancellationToken);
                return journal;
            }
            catch (JournalFencedException exception)
            {
                if (tries == MaxTakeOvers)
                {
                    throw new JournalLostException(
                        $"The log in {store.Location} could not be taken over: others have appended to it before the "
                        + $"fence {tries} times. Its owner is alive and busy, or many silos want it at once.",
                        exception);
                }

                if (tries >= PatientTakeOvers)
                {
                    await hold.MoveToAsync(log.Segments[^1].Storage, cancellationToken);
                }

                // What somebody else has appended belongs to the log, and the fence belongs behind it (S17).
                log = await recovery.ContinueAsync(cancellationToken);
            }
        }
    }

    public async ValueTask<JournalPosition> AppendAsync(JournalBatch batch, CancellationToken cancellationToken)
    {
        ThrowIfClosed();
        cancellationToken.ThrowIfCancellationRequested();
        if (Interlocked.Exchange(ref _appending, 1) != 0)
        {
            throw new InvalidOperationException("A journal takes one append at a time.");
        }

        try
        {
            return await AppendInTurnAsync(batch);
        }
        finally
        {
            Volatile.Write(ref _appending, 0);
        }
    }

    public async ValueTask<ReadOnlyMemory<byte>> ReadAsync(
        JournalPosition position, int length, CancellationToken cancellationToken)
    {
        ThrowIfClosed();
        var segments = _segments;
        if (position.Segment < 1 || position.Segment > segments.Length || length < 0)
        {
            throw new ArgumentOutOfRangeException(nameof(position), position, "There is no such place in the log.");
        }

        var bytes = new byte[length];
        int read;
        try
        {
            read = await segments[position.Segment - 1].Storage.ReadAsync(position.Offset, bytes, cancellationToken);
        }
        catch (ObjectDisposedException exception)
        {
            throw new JournalLostException($"The log in {_store.Location} was closed during a read.", exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new JournalUnavailableException(
                $"The log in {_store.Location} can't be read at {position}: {exception.Message}", exception);
        }

        return read == length
            ? bytes
            : throw JournalDamage.At(
                $"The log in {_store.Location} at {position}", "the segment ends before the record");
    }

    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;

        // Here and now: the asynchronous way leaves the caller's thread.
        _closing.Cancel();
        if (_spare is { } making)
        {
            // Its failure says nothing that the next opening would not find out.
            await ((Task)making).ConfigureAwait(
                ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }

        await _store.DisposeAsync();
    }

    /// <summary>
    /// Makes durable what was read, leaves behind what a torn write left, and fences the former owner (S17). The last
    /// batch is written once more before it is trusted: after a failed flush the system may show bytes that are in its
    /// cache, that never reached the disk, and that no later flush would write. Batches before it were flushed with
    /// success. For the same reason nothing is ever overwritten with zeros: they could be seen, and not be there.
    /// </summary>
    private async ValueTask TakeOverAsync(RecoveredLog log, JournalOwner owner, CancellationToken cancellationToken)
    {
        if (_store.Preallocates && log.LastBatch is { } last)
        {
            await last.Segment.WriteAsync(last.Offset, last.Bytes, cancellationToken);
        }

        if (log.TornUntil > log.Offset)
        {
            var torn = new JournalBatch();
            new TornRecord(log.TornUntil).AddTo(torn);
            await WriteAsync(torn);
            Volatile.Write(ref _offset, log.TornUntil);
        }

        _factory.Epoch = log.Epoch + 1;
        var fence = new JournalBatch();
        new FenceRecord(_factory.Epoch, _factory.Now, owner).AddTo(fence);
        await AppendAsync(fence, cancellationToken);
        _isOpen = true;
    }

    private async ValueTask<JournalPosition> AppendInTurnAsync(JournalBatch batch)
    {
        var extent = BatchImage.ExtentOf(batch);
        if (batch.Length > _options.MaxBatchBytes)
        {
            throw new JournalFullException(
                $"A batch of {batch.Length} bytes is larger than the log in {_store.Location} takes: "
                + $"{_options.MaxBatchBytes}.");
        }

        // Both bounds leave room for the roll record.
        if (!Tail.HasRoom(_offset, extent) || _batches >= _store.MaxAppends - 1 || HasCommonName(Tail))
        {
            await RollAsync(extent);
        }

        var position = await WriteAsync(batch);
        if (!_disposed && (_offset > Tail.Header.Capacity / 2 || _batches > _store.MaxAppends / 2))
        {
            _spare ??= _room.TryAsync(() => CreateNextAsync(need: 0));
        }

        return position;
    }

    /// <summary>
    /// Whether a segment may be another one of the same name by now: where anybody may create, the first of a log that
    /// was deleted and began anew. An owner of before must not write there, at a place that fits by chance (S17).
    /// </summary>
    private bool HasCommonName(LogSegment segment) =>
        !_store.IsExclusive && !_store.Preallocates && segment.Number == 1;

    private async ValueTask<JournalPosition> WriteAsync(JournalBatch batch)
    {
        _image.Build(batch, Tail.Header, _offset, _lastId + 1, _lastHash);
        try
        {
            await Tail.Storage.WriteAsync(_offset, _image.Bytes, CancellationToken.None);
        }
        catch (SegmentTakenException exception)
        {
            _failure ??= exception;
            throw Fenced(exception);
        }
        catch (Exception exception)
        {
            throw Fail("an append failed, and whether it reached the disk is unknown", exception);
        }

        var position = new JournalPosition(Tail.Number, _offset + BatchHeader.Size);
        _lastHash = _image.Hash;
        _lastId++;
        _batches++;
        Volatile.Write(ref _offset, _offset + _image.Bytes.Length);
        return position;
    }

    private async ValueTask RollAsync(int need)
    {
        var next = await NextAsync(need);
        _rollBatch.Clear();
        new RollRecord(next.Number, next.Header.Id, next.HeaderHash).AddTo(_rollBatch);
        await WriteAsync(_rollBatch);
        Volatile.Write(ref _sealedBytes, _sealedBytes + _offset);
        Volatile.Write(ref _offset, SegmentHeader.Size);
        _batches = 0;
        _segments = _segments.Add(next);
    }

    /// <summary>
    /// The segment that was created ahead, or a new one if there is none or it is too small. Where the disk was found
    /// full, it is tried again beside the appends, which are refused until there is room.
    /// </summary>
    private async ValueTask<LogSegment> TakeNextAsync(int need)
    {
        try
        {
            if (_spare is not null && (_spare.IsCompleted || _room.Problem is null))
            {
                var spare = await AwaitSpareAsync(_spare);

                // Creating the next one replaces its file.
                _spare = null;
                if (spare is not null && spare.HasRoom(SegmentHeader.Size, need))
                {
                    return spare;
                }
            }

            return _room.Problem is { } full ? throw full : await _room.TryAsync(() => CreateNextAsync(need));
        }
        catch (DiskFullException) when (_isOpen)
        {
            _spare ??= _room.TryLaterAsync(() => CreateNextAsync(need), _closing.Token);
            throw;
        }
    }

    private async ValueTask<LogSegment> NextAsync(int need)
    {
        try
        {
            return await TakeNextAsync(need);
        }
        catch (DiskFullException exception)
        {
            throw new JournalFullException(
                $"There is no room for the next segment of the log in {_store.Location}: {exception.Message}. It goes "
                + "on by itself when there is.",
                exception);
        }
        catch (Exception exception)
        {
            throw Fail("its next segment can't be created", exception);
        }
    }

    private async ValueTask<LogSegment?> AwaitSpareAsync(Task<LogSegment> making)
    {
        try
        {
            return await making;
        }
        catch (DiskFullException)
        {
            return null;
        }
        catch (IOException) when (!_store.IsExclusive)
        {
            // Another one has another name: whatever is there of this one is in nobody's way.
            return null;
        }
    }

    private ValueTask<LogSegment> CreateNextAsync(int need)
    {
        var number = Tail.Number + 1;
        var capacity = _options.CapacityOf(number - _others, need);
        return _factory.CreateAsync(
            Identity, number, Tail.Header.Id, _factory.Epoch, capacity, _closing.Token);
    }

    private JournalFencedException Fenced(Exception exception) => new(
        $"The log in {_store.Location} is closed: somebody else has taken it over: {exception.Message}", exception)
    {
        MayBeThere = exception is SegmentTakenException { MayBeThere: true },
    };

    private JournalLostException Fail(string what, Exception exception)
    {
        _failure ??= exception;
        return new($"The log in {_store.Location} is closed: {what}: {exception.Message}", exception);
    }

    private void ThrowIfClosed()
    {
        if (_disposed)
        {
            throw new JournalLostException($"The log in {_store.Location} is closed: it was given up.");
        }

        if (_failure is SegmentTakenException taken)
        {
            throw Fenced(taken);
        }

        if (_failure is { } failure)
        {
            throw new JournalLostException(
                $"The log in {_store.Location} is closed since an earlier failure: {failure.Message}", failure);
        }
    }
}
