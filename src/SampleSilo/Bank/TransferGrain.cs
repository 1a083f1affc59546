using Orleans.Placement;
using Orleans.Runtime;

namespace Orleans.Consensus.SampleSilo.Bank;

/// <summary>Puts a <see cref="Transfer"/> on plain Orleans persistent state, on any of the silos.</summary>
[RandomPlacement]
internal sealed class TransferGrain : Grain, ITransferGrain
{
    private readonly Transfer _transfer;

    public TransferGrain(
        [PersistentState("transfer")] IPersistentState<TransferState> state,
        IGrainContext context,
        IGrainFactory grains)
    {
        _transfer = new(
            context.GrainId.Key.ToString()!, state, account => grains.GetGrain<IAccountGrain>(account));
    }

    public Task<TransferResult> ExecuteAsync(TransferOrder order) => _transfer.ExecuteAsync(order);

    public Task<TransferView?> GetAsync() => _transfer.GetAsync();
}
