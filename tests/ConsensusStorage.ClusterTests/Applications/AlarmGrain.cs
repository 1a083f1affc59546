using Orleans.Concurrency;
using Orleans.Runtime;

namespace Orleans.Consensus.ClusterTests.Applications;

public interface IAlarmGrain : IGrainWithStringKey
{
    Task SetAsync(TimeSpan period);

    Task StopAsync();

    /// <summary>Alarms since the grain was activated last.</summary>
    [ReadOnly]
    Task<int> CountAsync();

    /// <summary>Names of the reminders that it has.</summary>
    Task<List<string>> NamesAsync();
}

/// <summary>Counts its reminder's ticks.</summary>
public sealed class AlarmGrain : Grain, IAlarmGrain, IRemindable
{
    private const string Name = "alarm";

    private int _count;

    public async Task SetAsync(TimeSpan period) => await this.RegisterOrUpdateReminder(Name, period, period);

    public async Task StopAsync() => await this.UnregisterReminder((await this.GetReminder(Name))!);

    public Task<int> CountAsync() => Task.FromResult(_count);

    public async Task<List<string>> NamesAsync() =>
        [.. (await this.GetReminders()).Select(reminder => reminder.ReminderName)];

    public Task ReceiveReminder(string reminderName, TickStatus status)
    {
        _count++;
        return Task.CompletedTask;
    }
}
