namespace Orleans.Consensus.Journaling.Blobs;

/// <summary>
/// Makes a request again while its failure is transient, after growing pauses with jitter, for a bounded number of
/// times and a bounded time. Ends all requests when it is closed. Thread rule: any.
/// Does not: change the request. An append is only ever tried again at the same position (S18).
/// </summary>
internal sealed class BlobRetry(TimeProvider time, Random random)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _closing = new();

    /// <summary>The clock of pauses.</summary>
    public TimeProvider Time => time;

    /// <summary>Tries of one request. Default 12.</summary>
    public int MaxTries { get; init; } = 12;

    /// <summary>No try begins later than that after the first. Default 20 s.</summary>
    public TimeSpan MaxTime { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Ends what is under way, here and now: the asynchronous way changes threads.</summary>
    public void Close() => _closing.Cancel();

    /// <param name="request">Given the number of the try, counted from 1.</param>
    /// <exception cref="TransientBlobException">It failed to the end.</exception>
    /// <exception cref="ObjectDisposedException">It was closed meanwhile.</exception>
    public async ValueTask<T> RunAsync<T>(
        Func<int, CancellationToken, ValueTask<T>> request, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closing.Token);
        var start = time.GetTimestamp();
        try
        {
            for (var tries = 1; ; tries++)
            {
                try
                {
                    return await request(tries, either.Token);
                }
                catch (TransientBlobException)
                    when (tries < MaxTries && time.GetElapsedTime(start) < MaxTime)
                {
                    await Task.Delay(PauseAfter(tries), time, either.Token);
                }
            }
        }
        catch (OperationCanceledException exception)
            when (_closing.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new ObjectDisposedException("The log was closed during a request.", exception);
        }
    }

    private TimeSpan PauseAfter(int tries)
    {
        var longest = Math.Min(LongestPause.TotalMilliseconds, FirstPause.TotalMilliseconds * Math.Pow(2, tries - 1));
        lock (random)
        {
            return TimeSpan.FromMilliseconds(longest * (0.5 + (random.NextDouble() / 2)));
        }
    }
}
