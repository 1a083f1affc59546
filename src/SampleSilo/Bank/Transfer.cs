using System.Diagnostics;

namespace Orleans.Consensus.SampleSilo.Bank;

/// <summary>
/// A transfer as a durable saga: intent, debit, credit. Each step is idempotent and recorded once it has happened, so
/// whoever repeats the request finishes it from wherever a crash left it.
/// <para>If nobody repeats it, its alarm does. That is set before the intent is recorded and stopped when the end is,
/// so whatever there is of a transfer comes to its end.</para>
/// <para>Money can't be doubled by forgetting: an account keeps both ends of a transfer, however many operations
/// follow, until the transfer has recorded that it is done and will never repeat them (<see cref="SettleAsync"/>).
/// A transfer that goes on reads its register first, so a duplicate activation with an older state does not repeat
/// steps of a transfer that was finished elsewhere.</para>
/// </summary>
/// <param name="requestId">The transfer's name, and that of its operation in both accounts.</param>
/// <param name="storage">Its state, plain Orleans.</param>
/// <param name="accounts">Finds an account.</param>
/// <param name="patience">How long it may take before the alarm goes off.</param>
internal sealed class Transfer(
    string requestId,
    IPersistentState<TransferState> storage,
    Func<string, IAccountGrain> accounts,
    IAlarm alarm,
    TimeSpan patience)
{
    private readonly GuardedState<TransferState> _state = new(storage);

    public async Task<TransferResult> ExecuteAsync(TransferOrder order)
    {
        var state = await _state.ReadAsync();
        if (state.Stage is TransferStage.Intended or TransferStage.Debited)
        {
            state = await _state.ReadAsync(fresh: true);
        }

        if (state.Order is { } earlier && earlier != order)
        {
            return new TransferResult.RequestIdReused(earlier);
        }

        if (state.Stage == TransferStage.None)
        {
            await alarm.SetAsync(patience);
            state = await AdvanceAsync(new() { Stage = TransferStage.Intended, Order = order });
        }

        state = await FinishAsync(state, order);
        return new TransferResult.Ended(await DescribeAsync(state, order));
    }

    /// <summary>The alarm has gone off: finishes what was begun.</summary>
    public async Task OnAlarmAsync()
    {
        await alarm.LookAsync();
        var state = await _state.ReadAsync(fresh: true);
        if (state.Order is { } order)
        {
            state = await FinishAsync(state, order);
            await DescribeAsync(state, order);
            return;
        }

        // Another activation may have set the alarm and not recorded the intent yet. This makes it fail if it does.
        await _state.WriteAsync(state);
        alarm.Stop();
    }

    public async Task<TransferView?> GetAsync()
    {
        var state = await _state.ReadAsync();
        return state.Order is { } order ? await DescribeAsync(state, order) : null;
    }

    private async Task<TransferState> FinishAsync(TransferState state, TransferOrder order)
    {
        if (state.Stage == TransferStage.Intended)
        {
            state = await DebitAsync(state, order);
        }

        if (state.Stage == TransferStage.Debited)
        {
            state = await CreditAsync(state, order);
        }

        alarm.Stop();
        return state;
    }

    private async Task<TransferState> DebitAsync(TransferState state, TransferOrder order)
    {
        var debit = new Operation(OperationKind.TransferOut, requestId, order.Amount);
        return await accounts(order.From).ApplyAsync(debit) switch
        {
            OperationResult.Applied => await AdvanceAsync(state with { Stage = TransferStage.Debited }),
            OperationResult.InsufficientFunds => await AdvanceAsync(state with { Stage = TransferStage.Rejected }),
            _ => throw new UnreachableException("The account knows this debit with another amount."),
        };
    }

    private async Task<TransferState> CreditAsync(TransferState state, TransferOrder order)
    {
        var credit = new Operation(OperationKind.TransferIn, requestId, order.Amount);
        return await accounts(order.To).ApplyAsync(credit) switch
        {
            OperationResult.Applied => await AdvanceAsync(state with { Stage = TransferStage.Done }),
            _ => throw new UnreachableException("The account refused a credit."),
        };
    }

    private async Task<TransferState> AdvanceAsync(TransferState next)
    {
        await _state.WriteAsync(next);
        return next;
    }

    private async Task<TransferView> DescribeAsync(TransferState state, TransferOrder order)
    {
        var from = accounts(order.From);
        var to = accounts(order.To);
        var views = state.Stage is TransferStage.Done or TransferStage.Rejected
            ? await SettleAsync(from, to)
            : await Task.WhenAll(from.GetAsync(fresh: false), to.GetAsync(fresh: false));
        return new(requestId, state.Stage, order.Amount, views[0], views[1]);
    }

    private Task<AccountView[]> SettleAsync(IAccountGrain from, IAccountGrain to) => Task.WhenAll(
        from.SettleAsync(RequestScope.TransferOut, requestId), to.SettleAsync(RequestScope.TransferIn, requestId));
}
