namespace Orleans.Consensus.Reminders;

/// <summary>
/// Lets the changes of one node go one after the other on a silo, in the order in which they began. Thread-safe. Not
/// <see cref="SemaphoreSlim"/>: with a token it goes on in the thread pool, and a simulation would lose it.
/// </summary>
internal sealed class ReminderTurns
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ReminderNodeId, Queue<TaskCompletionSource<bool>>> _waiting = [];

    /// <summary>Waits for the turn at a node.</summary>
    /// <exception cref="OperationCanceledException">It did not come in time.</exception>
    public async Task<Turn> EnterAsync(ReminderNodeId node, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        TaskCompletionSource<bool>? turn = null;
        lock (_lock)
        {
            if (_waiting.TryGetValue(node, out var line))
            {
                turn = new(TaskCreationOptions.RunContinuationsAsynchronously);
                line.Enqueue(turn);
            }
            else
            {
                _waiting[node] = new();
            }
        }

        if (turn is not null)
        {
            using var registration = cancellationToken.UnsafeRegister(GiveUp, turn);
            if (!await turn.Task)
            {
                throw new OperationCanceledException(cancellationToken);
            }
        }

        return new(this, node);
    }

    private static void GiveUp(object? turn) => ((TaskCompletionSource<bool>)turn!).TrySetResult(false);

    /// <summary>Passes the turn on to the first that still waits.</summary>
    private void Leave(ReminderNodeId node)
    {
        lock (_lock)
        {
            var line = _waiting[node];
            while (line.TryDequeue(out var next))
            {
                if (next.TrySetResult(true))
                {
                    return;
                }
            }

            _waiting.Remove(node);
        }
    }

    /// <summary>Over when it is disposed of, once.</summary>
    internal readonly struct Turn(ReminderTurns turns, ReminderNodeId node) : IDisposable
    {
        public void Dispose() => turns.Leave(node);
    }
}
