using System.Diagnostics;

namespace Orleans.Consensus.SampleSilo.Bank;

/// <summary>An account with its state: each operation is applied once and stored before it is answered.</summary>
/// <param name="id">The account's name.</param>
/// <param name="silo">Where it lives.</param>
/// <param name="storage">Its state, plain Orleans.</param>
internal sealed class Account(string id, string silo, IPersistentState<AccountState> storage)
{
    private readonly GuardedState<AccountState> _state = new(storage);
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
        var state = await _state.ReadAsync();
        var applied = state.Entries.Where(entry => !entry.Refused);
        return [.. applied.OrderByDescending(entry => entry.Version).Take(limit)];
    }

    public async Task<OperationResult> ApplyAsync(Operation operation)
    {
        var state = Settled(await _state.ReadAsync());
        var step = state.Apply(operation);
        if (step is AccountStep.InsufficientFunds { Next: null })
        {
            // Nothing will be written, so nothing would tell a duplicate activation that it knows too little.
            state = Settled(await _state.ReadAsync(fresh: true));
            step = state.Apply(operation);
        }

        switch (step)
        {
            case AccountStep.Applied applied:
                await StoreAsync(applied.Next);
                return new OperationResult.Applied(After(applied.Entry));
            case AccountStep.Repeated { Entry.Refused: false } repeated:
                return new OperationResult.Applied(After(repeated.Entry));
            case AccountStep.Repeated:
                return new OperationResult.InsufficientFunds(View(state));
            case AccountStep.Reused reused:
                return new OperationResult.RequestIdReused(reused.Entry.Operation);
            case AccountStep.InsufficientFunds insufficient:
                await StoreAsync(insufficient.Next);
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
        }

        return View(state);
    }

    /// <summary>Stores what <see cref="SettleAsync"/> left to the next write, as there is none to come.</summary>
    public async Task FlushAsync()
    {
        if (_settled.Count > 0)
        {
            await StoreAsync(Settled(await _state.ReadAsync()));
        }
    }

    private async Task StoreAsync(AccountState? next)
    {
        if (next is not null)
        {
            await _state.WriteAsync(next);
            _settled.Clear();
        }
    }

    private AccountState Settled(AccountState state) =>
        _settled.Aggregate(state, (current, settled) => current.Release(settled.Scope, settled.RequestId));

    private AccountView View(AccountState state) => new(id, state.Balance, state.Version, silo);

    private AccountView After(AccountEntry entry) => new(id, entry.Balance, entry.Version, silo);
}
