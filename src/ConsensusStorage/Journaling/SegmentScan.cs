using System.IO.Hashing;

namespace Orleans.Consensus.Journaling;

/// <summary>What stands at a place of a segment.</summary>
internal abstract record ScanStep
{
    private ScanStep()
    {
    }

    /// <summary>An intact batch. Its body is valid until the next step.</summary>
    public sealed record Batch(BatchHeader Header, UInt128 Hash, ReadOnlyMemory<byte> Body) : ScanStep;

    /// <summary>Nothing was ever written from here on.</summary>
    public sealed record End : ScanStep;

    /// <summary>A last batch whose write was cut short by a crash, so that nobody was told that it is there.</summary>
    /// <param name="Until">Offset behind the last sector that it left something in.</param>
    public sealed record Torn(long Until) : ScanStep;
}

/// <summary>
/// Steps through the batches of a segment and judges what is no intact one: the end, a torn write, or damage.
/// <para>The rule: a disk writes sectors whole, and the space was durably zero before. So a write that was cut short
/// leaves at least one sector of the batch zero, and nothing behind the batch, because one append is in flight at a
/// time. Everything else is damage, also in the last batch: cutting that off would forget a promise.</para>
/// </summary>
internal sealed class SegmentScan(LogSegment segment, SegmentReader reader, bool preallocates, string place)
{
    /// <param name="previous">Hash of the batch before; null accepts any (a scan that starts in mid-log).</param>
    /// <param name="id">The batch's sequence number; null accepts any.</param>
    /// <exception cref="JournalCorruptException">There is damage.</exception>
    public async ValueTask<ScanStep> StepAsync(
        long offset, UInt128? previous, long? id, CancellationToken cancellationToken)
    {
        if (offset == segment.Storage.Length)
        {
            return preallocates
                ? throw Damage(offset, "the segment is full but has no roll record")
                : new ScanStep.End();
        }

        var head = await reader.ReadAsync(offset, Sector.Size, cancellationToken);
        if (preallocates && Sector.IsZero(head.Span))
        {
            return await JudgeZeroSectorAsync(offset, cancellationToken);
        }

        if (!BatchHeader.TryRead(head.Span, out var header, out var hash))
        {
            throw Damage(offset, "the header of a batch is damaged");
        }

        CheckPlace(header, offset, previous, id);
        var image = await reader.ReadAsync(offset, header.Extent, cancellationToken);
        return IsIntact(header, image.Span)
            ? new ScanStep.Batch(header, hash, image.Slice(BatchHeader.Size, header.BodyLength))
            : await JudgeBadBodyAsync(offset, header, image, cancellationToken);
    }

    /// <summary>Stops if anything was written behind the segment's last batch.</summary>
    public async ValueTask CheckNothingBehindAsync(long offset, string what, CancellationToken cancellationToken)
    {
        if (await reader.EndOfContentAsync(offset, cancellationToken) > offset)
        {
            throw Damage(offset, what);
        }
    }

    private static bool IsIntact(BatchHeader header, ReadOnlySpan<byte> image) =>
        image.Length == header.Extent
        && Sector.IsZero(image[(BatchHeader.Size + header.BodyLength)..])
        && XxHash128.HashToUInt128(image.Slice(BatchHeader.Size, header.BodyLength)) == header.BodyHash;

    private void CheckPlace(BatchHeader header, long offset, UInt128? previous, long? id)
    {
        var room = segment.Storage.Length - offset - BatchHeader.Size;
        var fault = header switch
        {
            _ when header.Segment != segment.Header.Id => "a batch of another segment",
            _ when header.Number != segment.Number => "a batch of another segment",
            _ when header.Start != offset => "a batch of another place",
            _ when id is not null && header.Id != id => $"batch {header.Id} where batch {id} belongs",
            _ when previous is not null && header.Previous != previous => "a batch that doesn't follow the one before",
            _ when header.BodyLength < 0 || header.BodyLength > room => "a batch longer than the segment",
            _ => null,
        };

        if (fault is not null)
        {
            throw Damage(offset, $"there is {fault}");
        }
    }

    /// <summary>
    /// The header is intact, so the batch's length and its rightful zeros are known: torn if more sectors are zero
    /// than should be and nothing stands behind.
    /// </summary>
    private async ValueTask<ScanStep> JudgeBadBodyAsync(
        long offset, BatchHeader header, ReadOnlyMemory<byte> image, CancellationToken cancellationToken)
    {
        if (!preallocates || Sector.CountZero(image.Span) <= header.ZeroSectors)
        {
            throw Damage(offset, $"the body of batch {header.Id} is damaged");
        }

        var end = offset + header.Extent;
        await CheckNothingBehindAsync(
            end, $"batch {header.Id} is incomplete, but more was written behind it", cancellationToken);
        return new ScanStep.Torn(end);
    }

    /// <summary>
    /// The first sector was never written: the end, or a torn write whose later sectors came first. How long that
    /// one was is unknown, so a batch header anywhere behind it says that it had been complete.
    /// </summary>
    private async ValueTask<ScanStep> JudgeZeroSectorAsync(long offset, CancellationToken cancellationToken)
    {
        var end = await reader.EndOfContentAsync(offset, cancellationToken);
        for (var at = offset + Sector.Size; at < end; at += Sector.Size)
        {
            var head = await reader.ReadAsync(at, Sector.Size, cancellationToken);
            if (BatchHeader.TryRead(head.Span, out var header, out _)
                && header.Segment == segment.Header.Id
                && header.Start == at)
            {
                throw Damage(offset, $"a batch is missing, but batch {header.Id} stands behind it");
            }
        }

        return end == offset ? new ScanStep.End() : new ScanStep.Torn(Sector.AlignUp(end));
    }

    private JournalCorruptException Damage(long offset, string what) =>
        JournalDamage.At($"{place} at offset {offset}", what);
}
