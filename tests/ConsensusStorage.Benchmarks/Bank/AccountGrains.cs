using Orleans.Runtime;

namespace Orleans.Consensus.Benchmarks.Bank;

/// <summary>An account; one interface for each provider derives from it.</summary>
internal interface IBankAccount : IGrainWithStringKey
{
    /// <summary>Deposits, writes the state, and returns the balance.</summary>
    Task<decimal> DepositAsync(decimal amount);

    /// <summary>The number of deposits, from the activation.</summary>
    Task<long> GetVersionAsync();
}

internal interface IConsensusAccount : IBankAccount;

internal interface IConsensusBlobAccount : IBankAccount;

internal interface IMemoryAccount : IBankAccount;

internal interface IRedisAccount : IBankAccount;

internal interface IBlobAccount : IBankAccount;

/// <summary>What all accounts do.</summary>
internal abstract class AccountGrain(IPersistentState<BankState> account) : Grain, IBankAccount
{
    public const string StateName = "account";

    public async Task<decimal> DepositAsync(decimal amount)
    {
        account.State.Deposit(amount);
        await account.WriteStateAsync();
        return account.State.Balance;
    }

    public Task<long> GetVersionAsync() => Task.FromResult(account.State.Version);
}

internal sealed class ConsensusAccountGrain(
    [PersistentState(AccountGrain.StateName, Provider.Consensus)] IPersistentState<BankState> account)
    : AccountGrain(account), IConsensusAccount;

internal sealed class ConsensusBlobAccountGrain(
    [PersistentState(AccountGrain.StateName, Provider.ConsensusBlobs)] IPersistentState<BankState> account)
    : AccountGrain(account), IConsensusBlobAccount;

internal sealed class MemoryAccountGrain(
    [PersistentState(AccountGrain.StateName, Provider.Memory)] IPersistentState<BankState> account)
    : AccountGrain(account), IMemoryAccount;

internal sealed class RedisAccountGrain(
    [PersistentState(AccountGrain.StateName, Provider.Redis)] IPersistentState<BankState> account)
    : AccountGrain(account), IRedisAccount;

internal sealed class BlobAccountGrain(
    [PersistentState(AccountGrain.StateName, Provider.BlobPerGrain)] IPersistentState<BankState> account)
    : AccountGrain(account), IBlobAccount;
