namespace Orleans.Consensus.Simulation.Kernel;

/// <summary>
/// Runs all tasks of a simulation on the calling thread, in order, on a clock that moves only when nothing is left to
/// do. The same simulation takes the same course every time; work that comes from another thread would break that and
/// is an error.
/// </summary>
internal sealed class SimulatedScheduler : TaskScheduler
{
    private readonly Queue<(SimulatedProcess? Process, Task Task)> _queue = new();
    private readonly List<(long At, Action Action)> _interrupts = [];
    private int _thread = Environment.CurrentManagedThreadId;
    private bool _isInterrupting;
    private volatile bool _strayed;

    /// <summary>The clock; give it to everything under test.</summary>
    public SimulatedTime Time { get; } = new();

    /// <summary>Tasks run so far: two runs of one seed agree in it.</summary>
    public long Executed { get; private set; }

    /// <summary>Whether the calling thread is that of the simulation.</summary>
    public bool IsHere => Environment.CurrentManagedThreadId == _thread;

    /// <summary>
    /// Tasks and timers that one <see cref="Run"/> may take: more than that is work that makes more work at one moment,
    /// of which simulated time knows no end. A seed takes some ten thousand.
    /// </summary>
    public long MostSteps { get; init; } = 5_000_000;

    /// <summary>The most tasks that ever waited at once.</summary>
    public int LongestQueue { get; private set; }

    /// <summary>
    /// Runs <paramref name="main"/> and everything it starts until it ends, at most for the given time.
    /// </summary>
    /// <exception cref="TimeoutException">It did not end in its time.</exception>
    /// <exception cref="InvalidOperationException">It spins, or it has left the calling thread.</exception>
    public void Run(Func<Task> main, TimeSpan? atMost = null)
    {
        // The context of whoever calls would catch the continuations before this scheduler.
        SynchronizationContext.SetSynchronizationContext(null);
        _thread = Environment.CurrentManagedThreadId;
        var deadline = Time.GetUtcNow() + (atMost ?? TimeSpan.FromMinutes(5));
        var task = Task.Factory.StartNew(main, CancellationToken.None, TaskCreationOptions.None, this).Unwrap();
        for (var steps = 0L; !task.IsCompleted; steps++)
        {
            if (steps >= MostSteps)
            {
                throw new SimulationException(
                    $"The simulation does not come to an end: it spins, or never rests. {steps} tasks and timers ran.");
            }

            if (_queue.TryDequeue(out var next))
            {
                Execute(next.Process, next.Task);
            }
            else if (_interrupts.Count > 0)
            {
                // Nothing is left to be interrupted: it is now or after the next timer, so now.
                Interrupt(0);
            }
            else if (!Time.TryFireNext(deadline))
            {
                throw new TimeoutException("The simulation did not end in its simulated time.");
            }
        }

        if (_strayed)
        {
            throw new SimulationException(
                "A task was scheduled from another thread: something left the simulation.");
        }

        task.GetAwaiter().GetResult();
    }

    /// <summary>
    /// Does something between two tasks, after so many more of them: at any await of any code, and not only while
    /// time passes.
    /// </summary>
    public void InterruptAfter(int tasks, Action action) => _interrupts.Add((Executed + tasks, action));

    /// <summary>Queues a task of <paramref name="process"/>.</summary>
    public void Enqueue(SimulatedProcess? process, Task task)
    {
        if (!IsHere)
        {
            _strayed = true;
            return;
        }

        _queue.Enqueue((process, task));
        LongestQueue = Math.Max(LongestQueue, _queue.Count);
    }

    protected override void QueueTask(Task task)
    {
        if (_isInterrupting)
        {
            _isInterrupting = false;
            TryExecuteTask(task);
        }
        else
        {
            Enqueue(null, task);
        }
    }

    /// <summary>What follows at once is run at once, as every scheduler does.</summary>
    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) =>
        !taskWasPreviouslyQueued && IsHere && TryExecuteTask(task);

    protected override IEnumerable<Task> GetScheduledTasks() => _queue.Select(item => item.Task);

    private void Execute(SimulatedProcess? process, Task task)
    {
        Executed++;
        if (process is null)
        {
            TryExecuteTask(task);
        }
        else
        {
            process.Execute(task);
        }

        for (var i = _interrupts.Count - 1; i >= 0; i--)
        {
            if (_interrupts[i].At <= Executed)
            {
                Interrupt(i);
            }
        }
    }

    private void Interrupt(int index)
    {
        var action = _interrupts[index].Action;
        _interrupts.RemoveAt(index);

        // As a task, so that whatever it starts stays in the simulation; and ahead of all others.
        _isInterrupting = true;
        new Task(action).Start(this);
        _isInterrupting = false;
    }
}
