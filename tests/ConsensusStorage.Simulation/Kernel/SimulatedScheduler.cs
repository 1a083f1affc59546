using System.Collections.Concurrent;

namespace Orleans.Consensus.Simulation.Kernel;

/// <summary>
/// Runs all tasks of a test on the calling thread, in order, on a clock that moves only when nothing is left to do.
/// The same test takes the same course every time; work that comes from another thread would break that and is an
/// error.
/// </summary>
internal sealed class SimulatedScheduler : TaskScheduler
{
    private readonly ConcurrentQueue<Task> _queue = new();
    private int _thread;
    private volatile bool _strayed;

    /// <summary>The clock; give it to everything under test.</summary>
    public SimulatedTime Time { get; } = new();

    /// <summary>Tasks run so far: two runs of one seed agree in it.</summary>
    public long Executed { get; private set; }

    /// <summary>
    /// Runs <paramref name="main"/> and everything it starts until it ends, at most for the given time.
    /// </summary>
    public void Run(Func<Task> main, TimeSpan? atMost = null)
    {
        // The test framework's own context would catch the continuations before this scheduler.
        SynchronizationContext.SetSynchronizationContext(null);
        _thread = Environment.CurrentManagedThreadId;
        var deadline = Time.GetUtcNow() + (atMost ?? TimeSpan.FromMinutes(5));
        var task = Task.Factory.StartNew(main, CancellationToken.None, TaskCreationOptions.None, this).Unwrap();
        while (!task.IsCompleted)
        {
            if (_queue.TryDequeue(out var next))
            {
                Executed++;
                TryExecuteTask(next);
            }
            else if (!Time.TryFireNext(deadline))
            {
                throw new TimeoutException("The test did not end in its simulated time.");
            }
        }

        if (_strayed)
        {
            throw new InvalidOperationException(
                "A task was scheduled from another thread: something left the simulation.");
        }

        task.GetAwaiter().GetResult();
    }

    protected override void QueueTask(Task task)
    {
        _strayed |= Environment.CurrentManagedThreadId != _thread;
        _queue.Enqueue(task);
    }

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;

    protected override IEnumerable<Task> GetScheduledTasks() => _queue;
}
