namespace Orleans.Consensus.Journaling;

/// <summary>Holds the last segment of a log that is being taken over, wherever the log goes on.</summary>
internal sealed class TailHold : IAsyncDisposable
{
    private ISegment? _held;

    public async ValueTask MoveToAsync(ISegment tail, CancellationToken cancellationToken)
    {
        if (_held is { } held && held != tail)
        {
            await held.ReleaseAsync(cancellationToken);
        }

        _held = tail;
        await tail.HoldAsync(cancellationToken);
    }

    public ValueTask DisposeAsync() => _held?.ReleaseAsync(CancellationToken.None) ?? ValueTask.CompletedTask;
}
