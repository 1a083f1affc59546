using Orleans.Runtime;

namespace Orleans.Consensus.SampleSilo.Bank;

/// <summary>An alarm that is an Orleans reminder. For one activation of a grain.</summary>
internal sealed partial class ReminderAlarm(IGrainBase grain, TimeSpan period, ILogger logger) : IAlarm
{
    private const string Name = "alarm";

    /// <summary>What has passed by the time that a reminder is stored is due a whole period later.</summary>
    private static readonly TimeSpan Soonest = TimeSpan.FromSeconds(1);

    private IGrainReminder? _reminder;

    public async Task SetAsync(TimeSpan due) =>
        _reminder = await grain.RegisterOrUpdateReminder(Name, due < Soonest ? Soonest : due, period);

    public async Task LookAsync() => _reminder = await grain.GetReminder(Name);

    public void Stop()
    {
        if (_reminder is { } reminder)
        {
            _reminder = null;
            _ = UnregisterAsync(reminder);
        }
    }

    private async Task UnregisterAsync(IGrainReminder reminder)
    {
        try
        {
            await grain.UnregisterReminder(reminder);
        }
        catch (Exception exception)
        {
            LogStillSet(exception, grain.GrainContext.GrainId);
        }
    }

    [LoggerMessage(3, LogLevel.Information, "The alarm of {Grain} goes off once more.")]
    private partial void LogStillSet(Exception exception, GrainId grain);
}
