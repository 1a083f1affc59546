namespace Orleans.Consensus.SampleSilo.Bank;

/// <summary>
/// A standing order: makes one payment each time its alarm goes off and one is due. Payments are transfers, named after
/// the order and their number, so a payment that is begun again is the same transfer and moves money once.
/// <para>The alarm is set before the order is recorded, and to the next due date after each payment. If one of these
/// fails it goes off again after a while.</para>
/// </summary>
/// <param name="requestId">The order's name.</param>
/// <param name="storage">Its state, plain Orleans.</param>
/// <param name="transfers">Finds a transfer.</param>
internal sealed class StandingOrder(
    string requestId,
    IPersistentState<StandingOrderState> storage,
    Func<string, ITransferGrain> transfers,
    IAlarm alarm,
    TimeProvider time)
{
    private readonly GuardedState<StandingOrderState> _state = new(storage);

    /// <summary>The request id of an order's payment.</summary>
    public static string NameOf(string requestId, Payment payment) => $"{requestId}/{payment.Number}";

    public async Task<StandingOrderResult> PlaceAsync(StandingOrderTerms terms)
    {
        var state = await _state.ReadAsync();
        if (state.Terms is { } earlier && earlier != terms)
        {
            return new StandingOrderResult.RequestIdReused(earlier);
        }

        if (state.Stage == StandingOrderStage.None)
        {
            await alarm.SetAsync(TimeSpan.Zero);
            state = await AdvanceAsync(StandingOrderState.Placed(terms, time.GetUtcNow()));
        }

        return new StandingOrderResult.Placed(new(requestId, terms, state));
    }

    public async Task<StandingOrderView?> GetAsync() => ViewOf(await _state.ReadAsync());

    public async Task<StandingOrderView?> CancelAsync()
    {
        await alarm.LookAsync();
        var state = await _state.ReadAsync(fresh: true);
        if (state.Stage != StandingOrderStage.None)
        {
            state = await PayPendingAsync(state);
            state = state.IsActive ? await AdvanceAsync(state.Cancel()) : state;
            alarm.Stop();
        }

        return ViewOf(state);
    }

    /// <summary>The alarm has gone off: makes the payment that is due.</summary>
    public async Task OnAlarmAsync()
    {
        await alarm.LookAsync();
        var state = await PayPendingAsync(await _state.ReadAsync(fresh: true));
        if (state.Begin(time.GetUtcNow()) is { } begun)
        {
            state = await PayPendingAsync(await AdvanceAsync(begun));
        }

        if (state.IsActive)
        {
            var wait = state.Next - time.GetUtcNow();
            await alarm.SetAsync(wait > TimeSpan.Zero ? wait : TimeSpan.Zero);
            return;
        }

        if (state.Stage == StandingOrderStage.None)
        {
            // Another activation may have set the alarm and not recorded the order yet. This makes it fail if it does.
            await _state.WriteAsync(state);
        }

        alarm.Stop();
    }

    private async Task<StandingOrderState> PayPendingAsync(StandingOrderState state)
    {
        if (state.Pending is not { } payment)
        {
            return state;
        }

        // A client may have taken the name for a transfer of its own. This payment is not made then: it is rejected.
        var order = state.Terms!.Payment with { StandingOrder = requestId };
        var result = await transfers(NameOf(requestId, payment)).ExecuteAsync(order);
        var done = result is TransferResult.Ended { Transfer.State: TransferStage.Done };
        return await AdvanceAsync(state.Complete(done));
    }

    private async Task<StandingOrderState> AdvanceAsync(StandingOrderState next)
    {
        await _state.WriteAsync(next);
        return next;
    }

    private StandingOrderView? ViewOf(StandingOrderState state) =>
        state.Terms is { } terms ? new(requestId, terms, state) : null;
}
