using Microsoft.Extensions.Options;
using Orleans.Placement;
using Orleans.Runtime;

namespace Orleans.Consensus.SampleSilo.Bank;

/// <summary>
/// Puts a <see cref="StandingOrder"/> on plain Orleans persistent state and reminders, on any of the silos.
/// </summary>
[RandomPlacement]
internal sealed class StandingOrderGrain : Grain, IStandingOrderGrain, IRemindable
{
    private readonly StandingOrder _order;

    public StandingOrderGrain(
        [PersistentState("standing-order")] IPersistentState<StandingOrderState> state,
        IGrainContext context,
        IGrainFactory grains,
        IOptions<BankOptions> options,
        TimeProvider time,
        ILogger<StandingOrderGrain> logger)
    {
        _order = new(
            context.GrainId.Key.ToString()!,
            state,
            transfer => grains.GetGrain<ITransferGrain>(transfer),
            new ReminderAlarm(this, options.Value.AlarmPeriod, logger),
            time);
    }

    public Task<StandingOrderResult> PlaceAsync(StandingOrderTerms terms) => _order.PlaceAsync(terms);

    public Task<StandingOrderView?> GetAsync() => _order.GetAsync();

    public Task<StandingOrderView?> CancelAsync() => _order.CancelAsync();

    public Task ReceiveReminder(string reminderName, TickStatus status) => _order.OnAlarmAsync();
}
