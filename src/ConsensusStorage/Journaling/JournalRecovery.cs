using Orleans.Consensus.Codec;

namespace Orleans.Consensus.Journaling;

/// <summary>Where a recovered log ends and how it goes on.</summary>
/// <param name="Segments">All segments of the chain.</param>
/// <param name="Spare">A segment that was created ahead and not rolled to yet.</param>
/// <param name="Offset">Offset behind the last batch in the last segment.</param>
/// <param name="TornUntil">End of what a torn write left behind <paramref name="Offset"/>, or the same offset.</param>
/// <param name="LastHash">Hash of the last batch.</param>
/// <param name="LastId">Sequence number of the last batch.</param>
/// <param name="LastBatch">
/// Bytes of the last batch and their place; null in a log without any. It may be in the last segment but one, as its
/// roll record.
/// </param>
/// <param name="Epoch">Highest owner epoch seen.</param>
/// <param name="Bytes">Written bytes of all segments.</param>
internal sealed record RecoveredLog(
    IReadOnlyList<LogSegment> Segments,
    LogSegment? Spare,
    long Offset,
    long TornUntil,
    UInt128 LastHash,
    long LastId,
    (ISegment Segment, long Offset, byte[] Bytes)? LastBatch,
    long Epoch,
    long Bytes);

/// <summary>
/// Reads a log from its first segment to its end, verifies every link, and shows the records. Does not: write
/// anything; what it showed may be trusted only when the owner's fence stands behind it (S17).
/// </summary>
internal sealed class JournalRecovery(
    ISegmentStore store, JournalIdentity expected, JournalPosition? from, JournalReplay replay)
{
    private readonly SegmentReader _reader = new();
    private readonly List<LogSegment> _segments = [];
    private UInt128? _hash;
    private long? _id;
    private long _epoch;
    private long _bytes;
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

            _segments.Add(await OpenSegmentAsync(numbers[i], cancellationToken));
        }

        // The headers before a checkpoint's segment hang together by their ids; their batches need not be read.
        var index = (from?.Segment ?? 1) - 1;
        if (index >= _segments.Count)
        {
            throw Missing(index + 1);
        }

        _bytes = _segments.Take(index).Sum(segment => segment.Storage.Length);
        _hash = index == 0 ? _segments[0].HeaderHash : null;
        _id = index == 0 ? 0 : null;
        return await WalkAsync(index, cancellationToken);
    }

    private async ValueTask<LogSegment> OpenSegmentAsync(int number, CancellationToken cancellationToken)
    {
        var storage = await store.OpenAsync(number, cancellationToken);
        var place = LogSegment.PlaceOf(store.Location, number);
        var bytes = new byte[SegmentHeader.Size];
        var length = await storage.ReadAsync(0, bytes, cancellationToken);
        var (header, hash) = SegmentHeader.Decode(bytes.AsSpan(0, length), place);
        IdentityCheck.Verify(header.Identity, expected, place);

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

    private async ValueTask<RecoveredLog> WalkAsync(int index, CancellationToken cancellationToken)
    {
        while (true)
        {
            var segment = _segments[index];
            var place = segment.Place(store.Location);
            _reader.Open(segment.Storage);
            var scan = new SegmentScan(segment, _reader, store.Preallocates, place);
            var (offset, tornUntil, roll) = await WalkSegmentAsync(segment, scan, cancellationToken);
            _bytes += offset;
            if (roll is null)
            {
                return await EndAsync(index, offset, tornUntil, cancellationToken);
            }

            await scan.CheckNothingBehindAsync(offset, "there is more behind the roll record", cancellationToken);
            index++;
            CheckRoll(roll, index);
        }
    }

    private async ValueTask<(long Offset, long TornUntil, RollRecord? Roll)> WalkSegmentAsync(
        LogSegment segment, SegmentScan scan, CancellationToken cancellationToken)
    {
        var offset = (long)SegmentHeader.Size;
        while (true)
        {
            switch (await scan.StepAsync(offset, _hash, _id + 1, cancellationToken))
            {
                case ScanStep.End:
                    return (offset, offset, null);
                case ScanStep.Torn torn:
                    return (offset, torn.Until, null);
                case ScanStep.Batch batch:
                    var roll = ShowRecords(segment, batch.Header, batch.Body.Span);
                    (_hash, _id, _last) = (batch.Hash, batch.Header.Id, (segment, batch.Header));
                    offset = _resumeAt ?? offset + batch.Header.Extent;
                    if (roll is not null)
                    {
                        return (offset, offset, roll);
                    }

                    break;
            }
        }
    }

    /// <summary>Shows a batch's records and returns the roll record if it has one.</summary>
    private RollRecord? ShowRecords(LogSegment segment, BatchHeader header, ReadOnlySpan<byte> body)
    {
        var start = new JournalPosition(segment.Number, header.Start + BatchHeader.Size);
        var reader = new ByteReader(body);
        var count = 0;
        RollRecord? roll = null;
        _resumeAt = null;
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
            }
        }

        return count == header.Count ? roll : throw Malformed(start);
    }

    private void Show(byte kind, JournalPosition position, ReadOnlySpan<byte> record)
    {
        if (from is not { } covered
            || position.Segment > covered.Segment
            || (position.Segment == covered.Segment && position.Offset > covered.Offset))
        {
            replay(kind, position, record);
        }
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

    private async ValueTask<RecoveredLog> EndAsync(
        int index, long offset, long tornUntil, CancellationToken cancellationToken)
    {
        var place = _segments[index].Place(store.Location);
        if (tornUntil > offset && !_segments[index].HasRoom(tornUntil, 0))
        {
            throw JournalDamage.At(place, "there is something in its last sector, but it is no roll record");
        }

        if (from is { } covered && (_last is null || covered.Segment > index + 1
            || (covered.Segment == index + 1 && covered.Offset >= offset)))
        {
            throw JournalDamage.At(place, $"the log ends at offset {offset}, but its checkpoint reaches to {covered}");
        }

        var spare = await CheckSpareAsync(index, cancellationToken);
        var last = await CopyLastBatchAsync(cancellationToken);
        return new(
            _segments[..(index + 1)], spare, offset, tornUntil, _hash ?? 0, _id ?? 0, last, _epoch, _bytes);
    }

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
