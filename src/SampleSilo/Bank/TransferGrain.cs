using Microsoft.Extensions.Options;
using Orleans.Placement;
using Orleans.Runtime;

namespace Orleans.Consensus.SampleSilo.Bank;

/// <summary>
/// Puts a <see cref="Transfer"/> on plain Orleans persistent state and reminders, on any of the silos.
/// </summary>
[RandomPlacement]
internal sealed class TransferGrain : Grain, ITransferGrain, IRemindable
{
    private readonly Transfer _transfer;

    public TransferGrain(
        [PersistentState("transfer")] IPersistentState<TransferState> state,
        IGrainContext context,
        IGrainFactory grains,
        IOptions<BankOptions> options,
        ILogger<TransferGrain> logger)
    {
        var period = options.Value.AlarmPeriod;
        _transfer = new(
            context.GrainId.Key.ToString()!,
            state,
            account => grains.GetGrain<IAccountGrain>(account),
            new ReminderAlarm(this, period, logger),
            patience: period);
    }

    public Task<TransferResult> ExecuteAsync(TransferOrder order) => _transfer.ExecuteAsync(order);

    public Task<TransferView?> GetAsync() => _transfer.GetAsync();

    public Task ReceiveReminder(string reminderName, TickStatus status) => _transfer.OnAlarmAsync();
}
