using System.Diagnostics;

namespace Orleans.Consensus.SampleSilo.Bank;

/// <summary>An account with its state: each operation is applied once and stored before it is answered.</summary>
/// <param name="id">The account's name.</param>
/// <param name="silo">Where it lives.</param>
/// <param name="storage">Its state, plain Orleans.</param>
/// <param name="pages">Its older entries.</param>
internal sealed class Account(
    string id, string silo, IPersistentState<AccountState> storage, IAccountPages pages, TimeProvider time)
{
    private readonly GuardedState<AccountState> _state = new(storage);
    private readonly AccountMemory _memory = new(pages);
    private readonly HashSet<(RequestScope Scope, string RequestId)> _settled = [];

    /// <param name="fresh">Read the register again first.</param>
    public async Task<AccountView> GetAsync(bool fresh)
    {
        var state = await _state.ReadAsync(fresh);
        return View(state);
    }

    /// <summary>The last operations, the latest first.</summary>
    public async Task<IReadOnlyList<AccountEntry>> GetHistoryAsync(int limit)
    {
        var state = await ReadAllAsync();
        var entries = state.Entries.Concat(_memory.Entries).DistinctBy(entry => entry.Key);
        return [.. entries.Where(entry => !entry.Refused).OrderByDescending(entry => entry.Version).Take(limit)];
    }

    public async Task<OperationResult> ApplyAsync(Operation operation)
    {
        var durable = await ReadAllAsync();
        var state = Settled(durable);
        var now = time.GetUtcNow();
        var step = state.Apply(operation, now, _memory.Find(operation));
        if (step is AccountStep.InsufficientFunds { Next: null })
        {
            // Nothing will be written, so nothing would tell a duplicate activation that it knows too little.
            durable = await ReadAllAsync(fresh: true);
            state = Settled(durable);
            step = state.Apply(operation, now, _memory.Find(operation));
        }

        switch (step)
        {
            case AccountStep.Applied applied:
                await StoreAsync(durable, applied.Next);
                return new OperationResult.Applied(After(applied.Entry));
            case AccountStep.Repeated { Entry.Refused: false } repeated:
                return new OperationResult.Applied(After(repeated.Entry));
            case AccountStep.Repeated:
                return new OperationResult.InsufficientFunds(View(state));
            case AccountStep.Reused reused:
                return new OperationResult.RequestIdReused(reused.Entry.Operation);
            case AccountStep.InsufficientFunds insufficient:
                await StoreAsync(durable, insufficient.Next);
                return new OperationResult.InsufficientFunds(View(state));
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>
    /// A transfer has recorded its end: its entry here may be forgotten. This costs no write of its own, it goes
    /// with the next one; when it is lost, some bytes are, never money.
    /// </summary>
    public async Task<AccountView> SettleAsync(RequestScope scope, string requestId)
    {
        var state = await _state.ReadAsync();
        if (state.Find(scope, requestId) is { Kept: true })
        {
            _settled.Add((scope, requestId));
            return View(state);
        }

        state = await ReadAllAsync();
        _memory.Release(scope, requestId);
        return View(state);
    }

    /// <summary>Stores what <see cref="SettleAsync"/> left to the next write, as there is none to come.</summary>
    public async Task FlushAsync()
    {
        if (_settled.Count > 0)
        {
            var durable = await ReadAllAsync();
            await StoreAsync(durable, Settled(durable));
        }
    }

    /// <summary>The state, with its pages in memory.</summary>
    private async Task<AccountState> ReadAllAsync(bool fresh = false)
    {
        var state = await _state.ReadAsync(fresh);
        if (await _memory.TryLoadAsync(state))
        {
            return state;
        }

        // Another activation has gone on, and taken a page away that this one's state still names.
        state = await _state.ReadAsync(fresh: true);
        return await _memory.TryLoadAsync(state)
            ? state
            : throw new OrleansException($"A page of account '{id}' is missing: its storage has lost it.");
    }

    private async Task StoreAsync(AccountState durable, AccountState? next)
    {
        if (next is not null)
        {
            next = await _memory.TrimAsync(durable, next, time.GetUtcNow());
            await _state.WriteAsync(next);
            _settled.Clear();
            await _memory.CleanAsync(durable, next);
        }
    }

    private AccountState Settled(AccountState state) =>
        _settled.Aggregate(state, (current, settled) => current.Release(settled.Scope, settled.RequestId));

    private AccountView View(AccountState state) => new(id, state.Balance, state.Version, silo);

    private AccountView After(AccountEntry entry) => new(id, entry.Balance, entry.Version, silo);
}
