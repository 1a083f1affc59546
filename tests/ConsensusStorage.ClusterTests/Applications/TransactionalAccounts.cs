using Orleans.Concurrency;
using Orleans.Transactions.Abstractions;

namespace Orleans.Consensus.ClusterTests.Applications;

/// <summary>What a transactional account holds; each opens with 100.</summary>
[GenerateSerializer]
public sealed class Balance
{
    [Id(0)]
    public int Value { get; set; } = TransactionalAccount.Opening;
}

/// <summary>An account of Orleans Transactions.</summary>
public interface ITransactionalAccount : IGrainWithIntegerKey
{
    [Transaction(TransactionOption.Join)]
    Task AddAsync(int amount);

    [Transaction(TransactionOption.Join)]
    Task<int> ReadAsync();
}

/// <summary>Moves money between accounts.</summary>
public interface ITransferDesk : IGrainWithIntegerKey
{
    [Transaction(TransactionOption.Create)]
    Task MoveAsync(int payer, int payee, int amount);

    /// <summary>All balances at one moment.</summary>
    [Transaction(TransactionOption.Create)]
    Task<int[]> ReadAllAsync(int accounts);
}

public sealed class TransactionalAccount(
    [TransactionalState("balance", TransactionalAccount.Storage)] ITransactionalState<Balance> balance)
    : Grain, ITransactionalAccount
{
    public const string Storage = "transactions";
    public const int Opening = 100;

    public Task AddAsync(int amount) => balance.PerformUpdate(state => state.Value += amount);

    public Task<int> ReadAsync() => balance.PerformRead(state => state.Value);
}

[StatelessWorker]
[Reentrant]
public sealed class TransferDesk : Grain, ITransferDesk
{
    public Task MoveAsync(int payer, int payee, int amount) => Task.WhenAll(
        GrainFactory.GetGrain<ITransactionalAccount>(payer).AddAsync(-amount),
        GrainFactory.GetGrain<ITransactionalAccount>(payee).AddAsync(amount));

    public Task<int[]> ReadAllAsync(int accounts) => Task.WhenAll(Enumerable.Range(0, accounts)
        .Select(number => GrainFactory.GetGrain<ITransactionalAccount>(number).ReadAsync()));
}
