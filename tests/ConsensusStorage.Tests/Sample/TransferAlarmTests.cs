using Orleans.Consensus.SampleSilo.Bank;
using Orleans.Storage;

namespace Orleans.Consensus.Tests.Sample;

/// <summary>Transfers that nobody asks for again.</summary>
public sealed class TransferAlarmTests
{
    /// <summary>The alarm and the intent: before these are there, nothing is left of a transfer.</summary>
    private const int FirstSteps = 2;

    private static readonly TransferOrder Order = new("alice", "bob", 30);

    private readonly FakeBank _bank = new();

    public static TheoryData<int, bool, bool> Crashes() => TransferTests.Crashes();

    [Theory]
    [MemberData(nameof(Crashes))]
    public async Task What_a_crash_has_interrupted_is_finished_by_the_alarm(int step, bool heard, bool all)
    {
        await InterruptAsync(step, heard, all);

        await RingAsync();

        AssertAllOrNothing(nothing: step < FirstSteps || (step == FirstSteps && !heard));
    }

    [Theory]
    [MemberData(nameof(Crashes))]
    public async Task An_alarm_in_vain_is_followed_by_another(int step, bool heard, bool all)
    {
        await InterruptAsync(FirstSteps + 1, heard, all);
        (_bank.Plan.FailAt, _bank.Plan.Fault) = (_bank.Plan.Writes + step, heard ? Fault.AppliedUnheard : Fault.Lost);

        await Record.ExceptionAsync(RingAsync);
        await RingAsync();

        AssertAllOrNothing(nothing: false);
    }

    [Fact]
    public async Task Thousands_of_operations_before_the_alarm_double_nothing()
    {
        await InterruptAsync(step: 5, heard: true, all: true);
        for (var i = 0; i < AccountState.Remembered; i++)
        {
            await _bank.Account("alice").ApplyAsync(new(OperationKind.Deposit, $"{i}", 1));
            await _bank.Account("bob").ApplyAsync(new(OperationKind.Deposit, $"{i}", 1));
        }

        await RingAsync();

        Assert.Equal(70 + AccountState.Remembered, _bank.Balance("alice").Balance);
        Assert.Equal(30 + AccountState.Remembered, _bank.Balance("bob").Balance);
        Assert.Equal(TransferStage.Done, _bank.Stage("t1"));
    }

    [Fact]
    public async Task A_transfer_without_money_is_rejected_by_the_alarm()
    {
        await FundAsync(10);
        _bank.Plan.FailAt = _bank.Plan.Writes + FirstSteps + 1;
        await Assert.ThrowsAsync<StorageDownException>(() => _bank.Transfer("t1").ExecuteAsync(Order));

        await RingAsync();

        Assert.Equal(TransferStage.Rejected, _bank.Stage("t1"));
        Assert.Equal(10, _bank.Balance("alice").Balance);
        Assert.False(_bank.Reminder("t1").IsSet);
    }

    [Fact]
    public async Task An_alarm_that_was_not_stopped_does_nothing_but_stop()
    {
        await FundAsync(100);
        _bank.Plan.StopsFail = true;
        await _bank.Transfer("t1").ExecuteAsync(Order);
        var writes = _bank.Plan.Writes;
        Assert.Equal(FakeBank.Patience, _bank.Reminder("t1").Due);
        await RingAsync();
        Assert.True(_bank.Reminder("t1").IsSet);

        _bank.Plan.StopsFail = false;
        await RingAsync();

        Assert.Equal(writes, _bank.Plan.Writes);
        AssertAllOrNothing(nothing: false);
    }

    [Fact]
    public async Task Who_has_set_the_alarm_and_not_recorded_the_intent_when_it_goes_off_elsewhere_begins_anew()
    {
        await FundAsync(100);
        var alarm = _bank.Alarm("t1");
        var slow = _bank.Transfer("t1", alarm);
        alarm.AfterSet = RingAsync;

        // Else it would take money from the account without an alarm.
        await Assert.ThrowsAsync<InconsistentStateException>(() => slow.ExecuteAsync(Order));
        AssertAllOrNothing(nothing: true);

        alarm.AfterSet = () => Task.CompletedTask;
        await slow.ExecuteAsync(Order);
        AssertAllOrNothing(nothing: false);
    }

    [Fact]
    public async Task An_alarm_that_another_activation_has_set_anew_goes_on()
    {
        await FundAsync(100);
        await _bank.Alarm("t1").SetAsync(FakeBank.Patience);
        var alarm = _bank.Alarm("t1");
        var late = _bank.Transfer("t1", alarm);
        alarm.AfterLook = () => InterruptAsync(FirstSteps + 1, heard: false, all: false);

        // It knows the alarm of before. Whoever has set it since may still need it.
        await late.OnAlarmAsync();
        Assert.Equal(TransferStage.Done, _bank.Stage("t1"));
        Assert.True(_bank.Reminder("t1").IsSet);

        await RingAsync();
        Assert.False(_bank.Reminder("t1").IsSet);
    }

    /// <summary>Begins a transfer of which a write fails, and nobody repeats it.</summary>
    private async Task InterruptAsync(int step, bool heard, bool all)
    {
        await FundAsync(100);
        (_bank.Plan.FailAt, _bank.Plan.Fault) = (_bank.Plan.Writes + step, heard ? Fault.AppliedUnheard : Fault.Lost);
        await Assert.ThrowsAsync<StorageDownException>(() => _bank.Transfer("t1").ExecuteAsync(Order));
        if (all)
        {
            _bank.Crash();
        }
    }

    /// <summary>The alarm goes off in a new activation, if it is set.</summary>
    private Task RingAsync() =>
        _bank.Reminder("t1").IsSet ? _bank.Transfer("t1").OnAlarmAsync() : Task.CompletedTask;

    private async Task FundAsync(decimal amount) =>
        await _bank.Account("alice").ApplyAsync(new(OperationKind.Deposit, "fund", amount));

    private void AssertAllOrNothing(bool nothing)
    {
        Assert.Equal(nothing ? TransferStage.None : TransferStage.Done, _bank.Stage("t1"));
        Assert.Equal(nothing ? 100 : 70, _bank.Balance("alice").Balance);
        Assert.Equal(nothing ? 0 : 30, _bank.Balance("bob").Balance);
        Assert.False(_bank.Reminder("t1").IsSet);
    }
}
