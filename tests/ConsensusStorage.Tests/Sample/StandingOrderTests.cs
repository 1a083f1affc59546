using Orleans.Consensus.SampleSilo.Bank;
using Orleans.Storage;

namespace Orleans.Consensus.Tests.Sample;

public sealed class StandingOrderTests
{
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(1);
    private static readonly StandingOrderTerms Terms = new(new("alice", "bob", 30), Period, null);

    private readonly FakeBank _bank = new();
    private readonly DateTimeOffset _start;

    public StandingOrderTests() => _start = _bank.Time.GetUtcNow();

    private StandingOrderState State => _bank.Standing("rent");

    public static TheoryData<int, bool> Crashes()
    {
        // The payment's record, the six writes of its transfer, its end, and the alarm.
        var data = new TheoryData<int, bool>();
        foreach (var step in Enumerable.Range(1, 9))
        {
            data.Add(step, false);
            data.Add(step, true);
        }

        return data;
    }

    [Fact]
    public async Task The_first_payment_is_due_at_once_and_the_others_period_by_period()
    {
        await FundAsync(100);
        await PlaceAsync(Terms);
        Assert.Equal(TimeSpan.Zero, _bank.Reminder("rent").Due);
        await RingAsync();
        Assert.Equal((70m, 30m), Balances());
        Assert.Equal(Period, _bank.Reminder("rent").Due);

        // Nothing is due.
        await RingAsync();
        Assert.Equal((70m, 30m), Balances());

        await RingAsync(after: Period + TimeSpan.FromSeconds(1));
        Assert.Equal((40m, 60m), Balances());
        Assert.Equal(Period - TimeSpan.FromSeconds(1), _bank.Reminder("rent").Due);
        Assert.Equal(new Payment(2, _start + Period, TransferStage.Done), State.Last);
        Assert.Equal((2, 0, 0L, _start + (2 * Period)), (State.Done, State.Rejected, State.Skipped, State.Next));
        Assert.Equal(TransferStage.Done, _bank.Stage("rent/2"));
    }

    [Theory]
    [MemberData(nameof(Crashes))]
    public async Task A_crash_at_any_step_pays_nothing_twice_and_forgets_nothing(int step, bool heard)
    {
        await FundAsync(100);
        await PlaceAsync(Terms);
        (_bank.Plan.FailAt, _bank.Plan.Fault) = (_bank.Plan.Writes + step, heard ? Fault.AppliedUnheard : Fault.Lost);

        await Assert.ThrowsAsync<StorageDownException>(() => RingAsync());
        _bank.Crash();
        Assert.True(_bank.Reminder("rent").IsSet);
        await RingAsync(after: FakeBank.Patience);
        Assert.Equal((70m, 30m), Balances());
        await RingAsync(after: Period - FakeBank.Patience);

        Assert.Equal((40m, 60m), Balances());
        Assert.Equal((2, 0, 0L, 2), (State.Done, State.Rejected, State.Skipped, State.Last!.Number));
    }

    [Fact]
    public async Task Of_due_dates_that_were_missed_one_is_paid_for_and_the_others_are_skipped()
    {
        await FundAsync(100);
        await PlaceAsync(Terms);
        await RingAsync();

        await RingAsync(after: (3 * Period) + TimeSpan.FromSeconds(20));

        Assert.Equal((40m, 60m), Balances());
        Assert.Equal((2L, 2), (State.Skipped, State.Last!.Number));
        Assert.Equal((_start + (3 * Period), _start + (4 * Period)), (State.Last.Due, State.Next));
        Assert.Equal(TimeSpan.FromSeconds(40), _bank.Reminder("rent").Due);
    }

    [Fact]
    public async Task A_payment_that_a_long_outage_has_interrupted_comes_before_the_next()
    {
        await FundAsync(100);
        await PlaceAsync(Terms);
        _bank.Plan.FailAt = _bank.Plan.Writes + 4;
        await Assert.ThrowsAsync<StorageDownException>(() => RingAsync());

        await RingAsync(after: 2 * Period);

        Assert.Equal((40m, 60m), Balances());
        Assert.Equal((2, 1L), (State.Done, State.Skipped));
    }

    [Fact]
    public async Task Want_of_money_rejects_a_payment_and_does_not_end_the_order()
    {
        await FundAsync(40);
        await PlaceAsync(Terms);
        await RingAsync();
        await RingAsync(after: Period);
        Assert.Equal((10m, 30m), Balances());
        Assert.Equal(TransferStage.Rejected, State.Last!.Stage);

        await FundAsync(100);
        await RingAsync(after: Period);

        Assert.Equal((80m, 60m), Balances());
        Assert.Equal((2, 1, true), (State.Done, State.Rejected, State.IsActive));
    }

    [Theory]
    [InlineData("carol", 1)]
    [InlineData("bob", 30)]
    public async Task A_payment_whose_name_belongs_to_another_transfer_is_rejected(string to, int amount)
    {
        await FundAsync(100);
        await _bank.Transfer("rent/1").ExecuteAsync(new("alice", to, amount));
        var before = Balances();
        await PlaceAsync(Terms);

        await RingAsync();

        Assert.Equal(before, Balances());
        Assert.Equal((0, 1), (State.Done, State.Rejected));
    }

    [Fact]
    public async Task An_order_ends_after_its_last_payment_rejected_ones_included()
    {
        await FundAsync(40);
        await PlaceAsync(Terms with { Times = 2 });
        await RingAsync();
        await RingAsync(after: Period);
        Assert.Equal((StandingOrderStage.Ended, false), (State.Stage, _bank.Reminder("rent").IsSet));

        await FundAsync(100);
        await _bank.Order("rent").OnAlarmAsync();

        Assert.Equal((110m, 30m), Balances());
        Assert.Equal(StandingOrderStage.Ended, (await _bank.Order("rent").CancelAsync())!.State.Stage);
    }

    [Fact]
    public async Task A_cancelled_order_pays_no_more()
    {
        await FundAsync(100);
        await PlaceAsync(Terms);
        await RingAsync();

        Assert.Equal(StandingOrderStage.Cancelled, (await _bank.Order("rent").CancelAsync())!.State.Stage);
        Assert.False(_bank.Reminder("rent").IsSet);
        Assert.Equal(StandingOrderStage.Cancelled, (await _bank.Order("rent").CancelAsync())!.State.Stage);
        _bank.Time.Advance(Period);
        await _bank.Order("rent").OnAlarmAsync();
        await PlaceAsync(Terms);

        Assert.Equal(StandingOrderStage.Cancelled, State.Stage);
        Assert.Equal((70m, 30m), Balances());
        Assert.False(_bank.Reminder("rent").IsSet);
    }

    [Fact]
    public async Task A_payment_under_way_is_finished_before_the_order_is_cancelled()
    {
        await FundAsync(100);
        await PlaceAsync(Terms);
        _bank.Plan.FailAt = _bank.Plan.Writes + 4;
        await Assert.ThrowsAsync<StorageDownException>(() => RingAsync());

        await _bank.Order("rent").CancelAsync();

        Assert.Equal((70m, 30m), Balances());
        Assert.Equal((1, StandingOrderStage.Cancelled), (State.Done, State.Stage));
    }

    [Fact]
    public async Task An_order_is_placed_once_and_its_name_is_its_own()
    {
        await PlaceAsync(Terms);
        var settings = _bank.Reminder("rent").Settings;
        _bank.Time.Advance(Period);
        await PlaceAsync(Terms);
        Assert.Equal((_start, settings), (State.Next, _bank.Reminder("rent").Settings));

        StandingOrderTerms[] others =
        [
            Terms with { Times = 3 }, Terms with { Period = 2 * Period },
            Terms with { Payment = Terms.Payment with { Amount = 31 } },
        ];
        foreach (var other in others)
        {
            Assert.Equal(
                new StandingOrderResult.RequestIdReused(Terms), await _bank.Order("rent").PlaceAsync(other));
        }
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    [InlineData(2, true)]
    public async Task A_crash_while_it_is_placed_leaves_all_of_it_or_nothing(int step, bool heard)
    {
        await FundAsync(100);
        (_bank.Plan.FailAt, _bank.Plan.Fault) = (_bank.Plan.Writes + step, heard ? Fault.AppliedUnheard : Fault.Lost);
        await Assert.ThrowsAsync<StorageDownException>(() => PlaceAsync(Terms));

        await RingAsync();

        var placed = step == 2 && heard;
        Assert.Equal(placed ? (70m, 30m) : (100m, 0m), Balances());
        Assert.Equal(placed, _bank.Reminder("rent").IsSet);
    }

    [Fact]
    public async Task Who_has_set_the_alarm_and_not_recorded_the_order_when_it_goes_off_elsewhere_begins_anew()
    {
        var alarm = _bank.Alarm("rent");
        var slow = _bank.Order("rent", alarm);
        alarm.AfterSet = () => RingAsync();

        await Assert.ThrowsAsync<InconsistentStateException>(() => slow.PlaceAsync(Terms));
        Assert.Equal((StandingOrderStage.None, false), (State.Stage, _bank.Reminder("rent").IsSet));

        alarm.AfterSet = () => Task.CompletedTask;
        await slow.PlaceAsync(Terms);
        Assert.Equal((StandingOrderStage.Active, true), (State.Stage, _bank.Reminder("rent").IsSet));
    }

    [Fact]
    public async Task Nobody_placed_it()
    {
        Assert.Null(await _bank.Order("rent").GetAsync());
        Assert.Null(await _bank.Order("rent").CancelAsync());
    }

    private async Task PlaceAsync(StandingOrderTerms terms) =>
        Assert.IsType<StandingOrderResult.Placed>(await _bank.Order("rent").PlaceAsync(terms));

    /// <summary>The alarm goes off in a new activation, if it is set.</summary>
    private Task RingAsync(TimeSpan after = default)
    {
        _bank.Time.Advance(after);
        return _bank.Reminder("rent").IsSet ? _bank.Order("rent").OnAlarmAsync() : Task.CompletedTask;
    }

    private (decimal From, decimal To) Balances() => (_bank.Balance("alice").Balance, _bank.Balance("bob").Balance);

    private async Task FundAsync(decimal amount) =>
        await _bank.Account("alice").ApplyAsync(new(OperationKind.Deposit, $"fund{amount}", amount));
}
