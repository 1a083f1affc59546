using Orleans.Consensus.Codec;

namespace Orleans.Consensus.Journaling;

/// <summary>
/// Reads a log from its first segment to its end, verifies every link, and shows the records, each once. Goes on where
/// it stood if others have appended meanwhile. Does not: write anything; what it showed may be trusted only when the
/// owner's fence stands behind it (S17).
/// </summary>
internal sealed class JournalRecovery(
    ISegmentStore store, JournalIdentity expected, JournalPosition? from, JournalReplay replay)
{
    /// <summary>Each read of a blob costs a round trip, and space that was never written isn't read.</summary>
    private const int BlobWindowBytes = 8 << 20;

    private readonly SegmentReader _reader = store.Preallocates ? new() : new(BlobWindowBytes);
    private readonly ISharedSegmentStore? _shared = store as ISharedSegmentStore;
    private readonly List<LogSegment> _segments = [];
    private readonly HeldRecords _held = new(replay);
    private readonly HashSet<string> _clusters = new(StringComparer.Ordinal);

    // Where the walk stands: a segment, an offset in it, and the batches before that.
    private int _index;
    private long _offset = SegmentHeader.Size;
    private int _batches;
    private long _sealedBytes;

    private UInt128? _hash;
    private long? _id;
    private long _epoch;
    private JournalOwner? _owner;
    private long? _resumeAt;
    private (LogSegment Segment, BatchHeader Header)? _last;

    /// <summary>Null if there is no log yet.</summary>
    public async ValueTask<RecoveredLog?> RunAsync(CancellationToken cancellationToken)
    {
        var numbers = await store.ListAsync(cancellationToken);
        if (numbers.Count == 0)
        {
            return from is null ? null : throw Missing(1);
        }

        for (var i = 0; i < numbers.Count; i++)
        {
            if (numbers[i] != i + 1)
            {
                throw Missing(i + 1);
            }

            _segments.Add(await OpenSegmentAsync(numbers[i], id: 0, cancellationToken));
        }

        // The headers before a checkpoint's segment hang together by their ids; their batches need not be read. Where
        // only roll records tell the segments' names, all of them have to be.
        _index = store.IsExclusive ? (from?.Segment ?? 1) - 1 : 0;
        if (_index >= _segments.Count)
        {
            throw Missing(_index + 1);
        }

        _sealedBytes = _segments.Take(_index).Sum(segment => segment.Storage.Length);
        _hash = _index == 0 ? _segments[0].HeaderHash : null;
        _id = _index == 0 ? 0 : null;
        return await WalkAsync(cancellationToken);
    }

    /// <summary>Looks whose log it is, and of which kind, before anybody is disturbed.</summary>
    public async ValueTask VerifyIdentityAsync(CancellationToken cancellationToken)
    {
        if ((await store.ListAsync(cancellationToken)).Count > 0)
        {
            await OpenSegmentAsync(1, id: 0, cancellationToken);
        }
    }

    /// <summary>Begins a log with a segment that has just been created and has nothing in it.</summary>
    public RecoveredLog Begin(LogSegment first)
    {
        _segments.Add(first);
        _hash = first.HeaderHash;
        _id = 0;
        return Recovered(null, SegmentHeader.Size, null);
    }

    /// <summary>Goes on behind what was read: somebody else has appended there.</summary>
    public async ValueTask<RecoveredLog> ContinueAsync(CancellationToken cancellationToken)
    {
        await _segments[_index].Storage.RefreshAsync(cancellationToken);
        return await WalkAsync(cancellationToken);
    }

    private async ValueTask<LogSegment> OpenSegmentAsync(
        int number, UInt128 id, CancellationToken cancellationToken)
    {
        var storage = await store.OpenAsync(number, id, cancellationToken) ?? throw Missing(number);
        return await OpenSegmentAsync(storage, cancellationToken);
    }

    private async ValueTask<LogSegment> OpenSegmentAsync(ISegment storage, CancellationToken cancellationToken)
    {
        var number = storage.Number;
        var place = LogSegment.PlaceOf(store.Location, number);
        var bytes = new byte[SegmentHeader.Size];
        var length = await storage.ReadAsync(0, bytes, cancellationToken);
        var (header, hash) = SegmentHeader.Decode(bytes.AsSpan(0, length), place);
        IdentityCheck.Verify(header.Identity, expected, place);
        IdentityCheck.VerifyKind(header, _shared is not null, place);

        var former = _segments.LastOrDefault()?.Header;
        var fault = header switch
        {
            _ when header.Number != number => $"it is segment {header.Number}",
            _ when former is not null && header.Identity.LogId != former.Identity.LogId =>
                $"it belongs to log {header.Identity.LogId}, the segment before to {former.Identity.LogId}",
            _ when header.Previous != (former?.Id ?? 0) => "it doesn't follow the segment before",
            _ when store.Preallocates && storage.Length != header.Capacity =>
                $"it has {storage.Length} bytes but was created with {header.Capacity}",
            _ => null,
        };

        return fault is null ? new(storage, header, hash) : throw JournalDamage.At(place, fault);
    }

    private async ValueTask<RecoveredLog> WalkAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var segment = _segments[_index];
            var place = segment.Place(store.Location);
            var behind = await FindBehindAsync(segment, cancellationToken);
            _reader.Open(segment.Storage);
            var scan = new SegmentScan(segment, _reader, store.Preallocates, place);
            var (tornUntil, roll) = await WalkSegmentAsync(segment, scan, behind?.Header.GoesOnAt, cancellationToken);
            if (behind is not null)
            {
                // Whatever else stands in this one counts for nothing, a roll record too (S17).
                GoOnIn(behind);
                continue;
            }

            if (roll is null)
            {
                return await EndAsync(tornUntil, cancellationToken);
            }

            await scan.CheckNothingBehindAsync(_offset, "there is more behind the roll record", cancellationToken);
            await FollowAsync(roll, cancellationToken);
        }
    }

    private async ValueTask<(long TornUntil, RollRecord? Roll)> WalkSegmentAsync(
        LogSegment segment, SegmentScan scan, long? end, CancellationToken cancellationToken)
    {
        while (_offset != end)
        {
            switch (await scan.StepAsync(_offset, _hash, _id + 1, cancellationToken))
            {
                case ScanStep.End or ScanStep.Torn when end is not null:
                    throw EndsBefore(segment, end.Value);
                case ScanStep.End:
                    return (_offset, null);
                case ScanStep.Torn torn:
                    return (torn.Until, null);
                case ScanStep.Batch batch:
                    var roll = ShowRecords(segment, batch.Header, batch.Body.Span);
                    (_hash, _id, _last) = (batch.Hash, batch.Header.Id, (segment, batch.Header));
                    _offset = _resumeAt ?? _offset + batch.Header.Extent;
                    _batches++;
                    if (_offset > end || (end is not null && roll is not null))
                    {
                        throw EndsBefore(segment, end.Value);
                    }

                    if (roll is not null)
                    {
                        return (_offset, roll);
                    }

                    break;
            }
        }

        return (_offset, null);
    }

    /// <summary>
    /// The segment in which somebody has taken the log over behind this one. It is looked for before this one is read:
    /// one that comes later keeps the next from taking the log over.
    /// </summary>
    private async ValueTask<LogSegment?> FindBehindAsync(LogSegment segment, CancellationToken cancellationToken)
    {
        if (_shared is null
            || await _shared.OpenBehindAsync(_index + 2, segment.Header.Id, cancellationToken) is not { } storage)
        {
            return null;
        }

        var behind = await OpenSegmentAsync(storage, cancellationToken);
        return behind.Header.GoesOnAt == 0 ? null : behind;
    }

    private JournalCorruptException EndsBefore(LogSegment segment, long end) => JournalDamage.At(
        segment.Place(store.Location), $"it has no batch that ends at offset {end}, where the next segment goes on");

    /// <summary>Shows a batch's records and returns the roll record if it has one.</summary>
    private RollRecord? ShowRecords(LogSegment segment, BatchHeader header, ReadOnlySpan<byte> body)
    {
        var start = new JournalPosition(segment.Number, header.Start + BatchHeader.Size);
        var reader = new ByteReader(body);
        var count = 0;
        RollRecord? roll = null;
        _resumeAt = null;
        _held.Show();
        while (reader.Remaining > 0)
        {
            if (roll is not null || !reader.TryReadByte(out var kind) || !reader.TryReadBlob(out var record))
            {
                throw Malformed(start);
            }

            count++;
            var position = start.Plus(reader.Position - record.Length);
            if (kind >= JournalBatch.FirstOwnerKind)
            {
                Show(kind, position, record);
            }
            else if (kind == RollRecord.Kind)
            {
                roll = RollRecord.TryRead(record) ?? throw Malformed(position);
            }
            else if (kind == TornRecord.Kind)
            {
                var torn = TornRecord.TryRead(record);
                _resumeAt = torn is not null
                    && torn.ResumeAt >= header.Start + header.Extent
                    && Sector.IsAligned(torn.ResumeAt)
                    && segment.HasRoom(torn.ResumeAt, 0)
                        ? torn.ResumeAt
                        : throw Malformed(position);
            }
            else
            {
                // The next owner's epoch has to be above it.
                var fence = kind == FenceRecord.Kind ? FenceRecord.TryRead(record) : null;
                _epoch = fence?.Epoch > _epoch && fence.Epoch < long.MaxValue
                    ? fence.Epoch
                    : throw Malformed(position);
                _owner = fence.Owner;
                _clusters.Add(_owner.Cluster);
            }
        }

        return count == header.Count ? roll : throw Malformed(start);
    }

    private void Show(byte kind, JournalPosition position, ReadOnlySpan<byte> record)
    {
        if (_shared is not null)
        {
            _held.Add(kind, position, record);
        }
        else if (from is not { } covered
            || position.Segment > covered.Segment
            || (position.Segment == covered.Segment && position.Offset > covered.Offset))
        {
            replay(kind, position, record);
        }
    }

    private async ValueTask FollowAsync(RollRecord roll, CancellationToken cancellationToken)
    {
        if (!store.IsExclusive)
        {
            // It alone knows the name; what else there may be behind this segment counts for nothing.
            _segments.Add(await OpenSegmentAsync(_segments.Count + 1, roll.Id, cancellationToken));
        }

        CheckRoll(roll, _index + 1);
        Enter();
    }

    private void GoOnIn(LogSegment behind)
    {
        _segments.Add(behind);
        Enter();
    }

    private void Enter()
    {
        _index++;
        _sealedBytes += _offset;
        _offset = SegmentHeader.Size;
        _batches = 0;
    }

    private void CheckRoll(RollRecord roll, int index)
    {
        if (index >= _segments.Count)
        {
            throw Missing(index + 1);
        }

        var next = _segments[index];
        if (roll.Number != next.Number || roll.Id != next.Header.Id || roll.HeaderHash != next.HeaderHash)
        {
            throw JournalDamage.At(next.Place(store.Location), "it is not the segment that the one before rolled to");
        }
    }

    private async ValueTask<RecoveredLog> EndAsync(long tornUntil, CancellationToken cancellationToken)
    {
        var place = _segments[_index].Place(store.Location);
        if (_shared is null && tornUntil > _offset && !_segments[_index].HasRoom(tornUntil, 0))
        {
            throw JournalDamage.At(place, "there is something in its last sector, but it is no roll record");
        }

        if (from is { } covered && (_last is null || covered.Segment > _index + 1
            || (covered.Segment == _index + 1 && covered.Offset >= _offset)))
        {
            throw JournalDamage.At(place, $"the log ends at offset {_offset}, but its checkpoint reaches to {covered}");
        }

        var spare = await CheckSpareAsync(_index, cancellationToken);
        var last = store.Preallocates && _shared is null ? await CopyLastBatchAsync(cancellationToken) : null;
        return Recovered(spare, tornUntil, last) with { End = _shared is null ? null : EndOf() };
    }

    /// <summary>Before the last batch; behind the header in a log that has none.</summary>
    private SharedEnd EndOf()
    {
        if (_last is not { } last)
        {
            return new(_segments[0], SegmentHeader.Size, _segments[0].HeaderHash, 0, SegmentHeader.Size, []);
        }

        // A roll record that led to an empty segment may have been the last batch.
        var bytes = last.Segment == _segments[_index]
            ? _sealedBytes + last.Header.Start
            : _sealedBytes - last.Header.Extent;
        return new(last.Segment, last.Header.Start, last.Header.Previous, last.Header.Id - 1, bytes, _held.All);
    }

    private RecoveredLog Recovered(
        LogSegment? spare, long tornUntil, (ISegment Segment, long Offset, byte[] Bytes)? last) =>
        new(
            _segments[..(_index + 1)], spare, _offset, tornUntil, _hash ?? 0, _id ?? 0, last, _batches, _epoch,
            new(_owner, _clusters), _sealedBytes + _offset);

    /// <summary>
    /// A segment behind the last one counts for nothing, because no roll record names it (S17); but it must not have
    /// anything in it, or the roll record was lost.
    /// </summary>
    private async ValueTask<LogSegment?> CheckSpareAsync(int index, CancellationToken cancellationToken)
    {
        if (index + 1 == _segments.Count)
        {
            return null;
        }

        var spare = _segments[index + 1];
        _reader.Open(spare.Storage);
        var end = await _reader.EndOfContentAsync(SegmentHeader.Size, cancellationToken);
        if (end > SegmentHeader.Size || index + 2 < _segments.Count)
        {
            throw JournalDamage.At(
                _segments[index].Place(store.Location), "its roll record is missing, but the log goes on behind it");
        }

        return spare;
    }

    private async ValueTask<(ISegment Segment, long Offset, byte[] Bytes)?> CopyLastBatchAsync(
        CancellationToken cancellationToken)
    {
        if (_last is not { } last)
        {
            return null;
        }

        // Read once more, because the window has moved on; and verified once more, because it is written back.
        var (segment, header) = last;
        _reader.Open(segment.Storage);
        var scan = new SegmentScan(segment, _reader, store.Preallocates, segment.Place(store.Location));
        if (await scan.StepAsync(header.Start, header.Previous, header.Id, cancellationToken) is not ScanStep.Batch)
        {
            throw JournalDamage.At(segment.Place(store.Location), "its last batch changed while it was read");
        }

        var image = await _reader.ReadAsync(header.Start, header.Extent, cancellationToken);
        return (segment.Storage, header.Start, image.ToArray());
    }

    private JournalCorruptException Missing(int number) =>
        JournalDamage.At(LogSegment.PlaceOf(store.Location, number), "the segment is missing");

    private JournalCorruptException Malformed(JournalPosition position) =>
        JournalDamage.At($"The log in {store.Location} at {position}", "a batch holds malformed records");
}
