namespace Orleans.Consensus.Simulation.Kernel;

/// <summary>
/// One operating-system process: all its tasks and timers. It can be paused, as by SIGSTOP, and go on later, and it can
/// end in the middle of whatever it does: nothing of it ever runs again.
/// </summary>
internal sealed class SimulatedProcess(SimulatedScheduler kernel) : TaskScheduler
{
    private readonly Queue<Task> _held = new();
    private readonly TaskCompletionSource _ended = new();
    private TaskCompletionSource? _resumed;
    private int _standing;

    public bool HasEnded { get; private set; }

    public bool IsPaused => _resumed is not null;

    /// <summary>The end of the pause; completed if there is none.</summary>
    public Task Resumed => _resumed?.Task ?? Task.CompletedTask;

    /// <summary>Nothing of it runs from here on.</summary>
    public void End()
    {
        HasEnded = true;
        _held.Clear();
        GoOn();
        _ended.TrySetResult();
    }

    /// <summary>How often it was paused so far.</summary>
    public int Pauses { get; private set; }

    /// <summary>It stands still, until every pause is over.</summary>
    public void Pause()
    {
        _standing++;
        _resumed ??= new();
        Pauses++;
    }

    /// <summary>Runs code in this process for as long as that lives. Completes with either, without a word.</summary>
    /// <param name="code">Its failures are its own affair.</param>
    public Task RunUntilEndAsync(Func<Task> code) => Task.WhenAny(Start(code), _ended.Task);

    /// <summary>Runs code in this process, until it is done or the process ends.</summary>
    /// <exception cref="IOException">The process has ended.</exception>
    public async Task RunAsync(Func<Task> code)
    {
        var running = Start(code);
        if (await Task.WhenAny(running, _ended.Task) != running || HasEnded)
        {
            throw new IOException("The process has ended.");
        }

        await running;
    }

    private Task Start(Func<Task> code) =>
        Task.Factory.StartNew(code, CancellationToken.None, TaskCreationOptions.None, this).Unwrap();

    /// <summary>Ends one pause.</summary>
    public void Resume()
    {
        if (_standing > 0 && --_standing == 0)
        {
            GoOn();
        }
    }

    private void GoOn()
    {
        _standing = 0;
        var resumed = _resumed;
        _resumed = null;
        while (_held.TryDequeue(out var task))
        {
            kernel.Enqueue(this, task);
        }

        resumed?.SetResult();
    }

    /// <summary>Called by the kernel when it is the task's turn.</summary>
    public void Execute(Task task)
    {
        if (IsPaused)
        {
            _held.Enqueue(task);
        }
        else if (!HasEnded)
        {
            TryExecuteTask(task);
        }
    }

    /// <summary>Runs code of this process, now or, if it is paused, once it goes on.</summary>
    public void Run(TimerCallback callback, object? state)
    {
        if (IsPaused)
        {
            new Task(() => callback(state)).Start(this);
        }
        else if (!HasEnded)
        {
            callback(state);
        }
    }

    protected override void QueueTask(Task task)
    {
        if (!HasEnded)
        {
            kernel.Enqueue(this, task);
        }
    }

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) =>
        !taskWasPreviouslyQueued && kernel.IsHere && !HasEnded && !IsPaused && TryExecuteTask(task);

    protected override IEnumerable<Task> GetScheduledTasks() => _held;
}
