using Microsoft.Extensions.Time.Testing;

namespace ConsensusStorage.Tests.Engines;

/// <summary>
/// Runs all tasks of a test on the calling thread, in order, on a clock that moves only when nothing is left to do.
/// The same test takes the same course every time.
/// </summary>
internal sealed class SimulatedScheduler : TaskScheduler
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(1);

    private readonly Queue<Task> _queue = new();

    /// <summary>The clock; give it to everything under test.</summary>
    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));

    /// <summary>
    /// Runs <paramref name="main"/> and everything it starts until it ends, at most for the given time.
    /// </summary>
    public void Run(Func<Task> main, TimeSpan? atMost = null)
    {
        // The test framework's own context would catch the continuations before this scheduler.
        SynchronizationContext.SetSynchronizationContext(null);
        var deadline = Time.GetUtcNow() + (atMost ?? TimeSpan.FromMinutes(5));
        var task = Task.Factory.StartNew(main, CancellationToken.None, TaskCreationOptions.None, this).Unwrap();
        while (!task.IsCompleted)
        {
            if (_queue.TryDequeue(out var next))
            {
                TryExecuteTask(next);
            }
            else if (Time.GetUtcNow() < deadline)
            {
                Time.Advance(Step);
            }
            else
            {
                throw new TimeoutException("The test did not end in its simulated time.");
            }
        }

        task.GetAwaiter().GetResult();
    }

    protected override void QueueTask(Task task) => _queue.Enqueue(task);

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;

    protected override IEnumerable<Task> GetScheduledTasks() => _queue;
}
