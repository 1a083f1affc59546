namespace Orleans.Consensus.Tests.Simulation;

/// <summary>A simulation that would never end has to say so: nobody watches it.</summary>
public sealed class SimulatedSchedulerTests
{
    private readonly SimulatedScheduler _scheduler = new() { MostSteps = 1000 };

    [Fact]
    public void Tasks_that_make_more_tasks_at_one_moment_are_stopped() => AssertSpins(async () =>
    {
        while (true)
        {
            await Task.Yield();
        }
    });

    [Fact]
    public void Timers_that_fire_again_at_one_moment_are_stopped() => AssertSpins(() =>
    {
        ITimer? timer = null;
        timer = _scheduler.Time.CreateTimer(
            _ => timer!.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan), null, TimeSpan.FromTicks(1), default);
        return new TaskCompletionSource().Task;
    });

    [Fact]
    public void What_takes_fewer_steps_comes_to_its_end()
    {
        var done = 0;
        _scheduler.Run(async () =>
        {
            for (; done < 400; done++)
            {
                await Task.Yield();
            }
        });
        Assert.Equal(400, done);
    }

    private void AssertSpins(Func<Task> main) =>
        Assert.Contains(
            "it spins",
            Assert.Throws<SimulationException>(() => _scheduler.Run(main)).Message,
            StringComparison.Ordinal);
}
