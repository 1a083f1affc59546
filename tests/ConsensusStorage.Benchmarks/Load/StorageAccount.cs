using Orleans.Consensus.Benchmarks.Bank;
using Orleans.Runtime;
using Orleans.Storage;

namespace Orleans.Consensus.Benchmarks.Load;

/// <summary>A grain's state as its activation holds it, and the provider of its silo. One call at a time.</summary>
internal sealed class StorageAccount(IGrainStorage storage, GrainId grain)
{
    private readonly GrainState<BankState> _state = new(new BankState());

    public GrainId Grain => grain;

    public long Version => _state.State!.Version;

    public async Task DepositAsync()
    {
        _state.State!.Deposit(1.25m);
        await storage.WriteStateAsync(AccountGrain.StateName, grain, _state);
    }

    public Task ClearAsync() => storage.ClearStateAsync(AccountGrain.StateName, grain, _state);

    /// <summary>Reads as an activation does, and checks what was read.</summary>
    /// <exception cref="InvalidOperationException">The store lost or invented something.</exception>
    public static async Task CheckAsync(IGrainStorage storage, GrainId grain, long version)
    {
        var read = new GrainState<BankState>(new BankState());
        await storage.ReadStateAsync(AccountGrain.StateName, grain, read);
        if (!read.RecordExists || read.State?.Version != version)
        {
            throw new InvalidOperationException(
                $"{grain} was read at version {read.State?.Version}, and {version} had been written.");
        }
    }
}
