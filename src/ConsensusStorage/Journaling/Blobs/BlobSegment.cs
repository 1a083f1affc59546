namespace Orleans.Consensus.Journaling.Blobs;

/// <summary>
/// A segment that is an append blob. It knows the blob's length from the last look at it; others may have appended
/// since, and the position condition of every append tells.
/// </summary>
internal sealed class BlobSegment(
    IAppendBlobs blobs,
    string name,
    int number,
    long length,
    Guid opener,
    BlobRetry retry,
    Action<AppendResolution> resolved)
    : ISegment
{
    private const int TailBytes = 64 << 10;

    /// <summary>Tries after which a hold is ended whose holder must be dead or very slow: half a second.</summary>
    private const int PatientTries = 6;

    private long _length = length;
    private Tail? _tail;
    private bool _isFresh;
    private Guid? _hold;

    public int Number => number;

    public long Length => Volatile.Read(ref _length);

    public async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var end = Math.Min(offset + buffer.Length, Length);
        if (_tail is { } tail && offset >= tail.Offset && end <= tail.End)
        {
            var count = (int)Math.Max(end - offset, 0);
            tail.Bytes.AsSpan((int)Math.Min(offset - tail.Offset, tail.Bytes.Length), count).CopyTo(buffer.Span);
            return count;
        }

        return await retry.RunAsync((_, token) => blobs.ReadAsync(name, offset, buffer, token), cancellationToken);
    }

    /// <summary>
    /// An append whose outcome is unknown is tried again at the same position and nowhere else. What stands there
    /// decides: these very bytes are success, others mean that the log was taken over. A blob without anything at that
    /// place proves nothing, because what is on its way may still land (S18).
    /// </summary>
    public async ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            var resolution = await retry.RunAsync(
                (tries, token) => TryWriteAsync(offset, bytes, tries, token), cancellationToken);
            if (resolution is { } known)
            {
                resolved(known);
            }
        }
        catch (Exception exception)
        {
            resolved(exception is SegmentTakenException ? AppendResolution.Foreign : AppendResolution.Unresolved);
            throw;
        }

        (_tail, _isFresh) = (null, false);
        Volatile.Write(ref _length, offset + bytes.Length);
        await ReleaseAsync(cancellationToken);
    }

    public async ValueTask RefreshAsync(CancellationToken cancellationToken)
    {
        if (_isFresh)
        {
            _isFresh = false;
            return;
        }

        await retry.RunAsync((_, token) => LookAsync(Length, TailBytes, token), cancellationToken);
        if (!_isFresh)
        {
            var now = await retry.RunAsync((_, token) => blobs.LengthAsync(name, token), cancellationToken);
            Volatile.Write(ref _length, now ?? throw new IOException($"The blob {name} in {blobs.Location} is gone."));
        }

        _isFresh = false;
    }

    public async ValueTask HoldAsync(CancellationToken cancellationToken)
    {
        try
        {
            var isHeld = await retry.RunAsync((_, token) => blobs.HoldAsync(name, opener, token), cancellationToken);
            _hold = isHeld ? opener : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Who may append and not hold has to be quick instead.
            _hold = null;
        }
    }

    private async ValueTask ReleaseAsync(CancellationToken cancellationToken)
    {
        if (_hold is not { } hold)
        {
            return;
        }

        try
        {
            await blobs.ReleaseAsync(name, hold, cancellationToken);
            _hold = null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It ends by itself; the next append goes along with it and tries to release it once more.
        }
    }

    private async ValueTask<AppendResolution?> TryWriteAsync(
        long offset, ReadOnlyMemory<byte> bytes, int tries, CancellationToken cancellationToken)
    {
        switch (await blobs.AppendAsync(name, offset, bytes, _hold, cancellationToken))
        {
            case AppendOutcome.Appended:
                return tries == 1 ? null : AppendResolution.Retried;
            case AppendOutcome.Held:
                _hold = null;
                if (tries >= PatientTries)
                {
                    await blobs.ReleaseAsync(name, hold: null, cancellationToken);
                }

                throw new TransientBlobException($"Somebody else holds the blob {name} in {blobs.Location}.");
        }

        var found = await LookAsync(offset, bytes.Length, cancellationToken);
        if (found.Length == 0)
        {
            throw new TransientBlobException(
                $"The blob {name} in {blobs.Location} does not end at {offset} and has nothing there either.");
        }

        return found.Length >= bytes.Length && found.Span[..bytes.Length].SequenceEqual(bytes.Span)
            ? AppendResolution.Landed
            : throw new SegmentTakenException(
                $"Somebody else has appended to the blob {name} in {blobs.Location} at {offset}.");
    }

    /// <summary>
    /// Reads what stands from a place on. If that is all there is, it is kept: who lost the race for a place is to be
    /// quick at the next one, or a busy owner could never be fenced.
    /// </summary>
    private async ValueTask<ReadOnlyMemory<byte>> LookAsync(
        long offset, int atLeast, CancellationToken cancellationToken)
    {
        var buffer = new byte[Math.Max(atLeast, TailBytes)];
        var count = await blobs.ReadAsync(name, offset, buffer, cancellationToken);
        if (count < buffer.Length && offset + count >= Length)
        {
            _tail = new(offset, buffer[..count]);
            _isFresh = true;
            Volatile.Write(ref _length, offset + count);
        }

        return buffer.AsMemory(0, count);
    }

    private sealed record Tail(long Offset, byte[] Bytes)
    {
        public long End => Offset + Bytes.Length;
    }
}
