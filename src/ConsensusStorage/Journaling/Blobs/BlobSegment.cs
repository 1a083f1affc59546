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

    /// <summary>For how long holds stop an append before they are ended.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(0.5);

    private long _length = length;
    private Tail? _tail;
    private bool _isFresh;

    /// <summary>The opener may have a hold; whether it has one is known only from an answer.</summary>
    private bool _mayHold;
    private bool _isHeld;

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
        var append = new Append(offset, bytes);
        try
        {
            await retry.RunAsync((_, token) => TryAsync(append, token), cancellationToken);
        }
        catch (Exception exception)
        {
            if (exception is SegmentTakenException)
            {
                resolved(AppendResolution.Foreign);
            }
            else if (append.IsInDoubt)
            {
                resolved(AppendResolution.Unresolved);
            }

            throw;
        }

        // A client that tries again by itself doesn't tell of a try without an answer.
        if (append.HasLanded || append.IsInDoubt)
        {
            resolved(append.HasLanded ? AppendResolution.Landed : AppendResolution.Retried);
        }

        (_tail, _isFresh) = (null, false);
        Volatile.Write(ref _length, offset + bytes.Length);
    }

    public async ValueTask RefreshAsync(CancellationToken cancellationToken)
    {
        if (_isFresh)
        {
            _isFresh = false;
            return;
        }

        var from = _tail?.Offset ?? Length;
        await retry.RunAsync((_, token) => LookAsync(from, TailBytes, token), cancellationToken);
        if (!_isFresh)
        {
            var now = await retry.RunAsync((_, token) => blobs.LengthAsync(name, token), cancellationToken);
            Volatile.Write(ref _length, now ?? throw new IOException($"The blob {name} in {blobs.Location} is gone."));
        }

        _isFresh = false;
    }

    public async ValueTask HoldAsync(CancellationToken cancellationToken)
    {
        if (_isHeld)
        {
            return;
        }

        // From the request on, also if no answer comes. Then the next append tells.
        _mayHold = true;
        try
        {
            _isHeld = await retry.RunAsync((_, token) => blobs.HoldAsync(name, opener, token), cancellationToken);
            _mayHold = _isHeld;

            // The owner's last append may have come in between.
            _isFresh &= !_isHeld;
        }
        catch (TransientBlobException)
        {
            _isFresh = false;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Who may append and not hold has to be quick instead.
            _mayHold = false;
        }
    }

    public async ValueTask ReleaseAsync(CancellationToken cancellationToken)
    {
        if (!_mayHold)
        {
            return;
        }

        _mayHold = _isHeld = false;
        try
        {
            await blobs.ReleaseAsync(name, opener, cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It ends by itself, or is ended by whoever waits for it.
        }
    }

    private async ValueTask<bool> TryAsync(Append append, CancellationToken cancellationToken)
    {
        var outcome = await AppendAsync(append, cancellationToken);
        if (outcome == AppendOutcome.Held && append.HasWaited(Patience, retry.Time))
        {
            await BreakAsync(cancellationToken);
            outcome = await AppendAsync(append, cancellationToken);
        }

        switch (outcome)
        {
            case AppendOutcome.Appended:
                return true;
            case AppendOutcome.Held:
                _mayHold = _isHeld = false;
                throw new TransientBlobException(
                    $"The blob {name} in {blobs.Location} has a lease that lets nobody append: that of a silo that "
                    + "takes the log over, or one without end that somebody else has taken.");
        }

        var found = await LookAsync(append.Offset, append.Bytes.Length, cancellationToken);
        if (found.Length == 0)
        {
            throw new TransientBlobException(
                $"The blob {name} in {blobs.Location} does not end at {append.Offset} and has nothing there either.");
        }

        append.HasLanded = found.Length >= append.Bytes.Length
            && found.Span[..append.Bytes.Length].SequenceEqual(append.Bytes.Span);
        return append.HasLanded ? true : throw new SegmentTakenException(
            $"Somebody else has appended to the blob {name} in {blobs.Location} at {append.Offset}.");
    }

    private async ValueTask<AppendOutcome> AppendAsync(Append append, CancellationToken cancellationToken)
    {
        try
        {
            return await blobs.AppendAsync(
                name, append.Offset, append.Bytes, _mayHold ? opener : null, cancellationToken);
        }
        catch (TransientBlobException)
        {
            append.IsInDoubt = true;
            throw;
        }
    }

    /// <summary>Ends a hold whose holder must be dead or very slow. If that can't be done, it ends by itself.</summary>
    private async ValueTask BreakAsync(CancellationToken cancellationToken)
    {
        try
        {
            await blobs.BreakAsync(name, cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The append tells whether it has ended.
        }
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

    /// <summary>One append with all its tries.</summary>
    private sealed class Append(long offset, ReadOnlyMemory<byte> bytes)
    {
        private long? _waitsSince;

        public long Offset => offset;

        public ReadOnlyMemory<byte> Bytes => bytes;

        /// <summary>A try got no answer.</summary>
        public bool IsInDoubt { get; set; }

        /// <summary>The bytes were found at their place.</summary>
        public bool HasLanded { get; set; }

        /// <summary>Whether a hold was in the way for so long, counted from the first one.</summary>
        public bool HasWaited(TimeSpan patience, TimeProvider time)
        {
            _waitsSince ??= time.GetTimestamp();
            return time.GetElapsedTime(_waitsSince.Value) >= patience;
        }
    }

    private sealed record Tail(long Offset, byte[] Bytes)
    {
        public long End => Offset + Bytes.Length;
    }
}
