using Orleans.Consensus.SampleSilo.Bank;

namespace Orleans.Consensus.Tests.Sample;

public sealed class TransferTests
{
    private static readonly TransferOrder Order = new("alice", "bob", 30);

    private readonly FakeBank _bank = new();

    /// <summary>A write for the alarm, the intent, the debit, the debit's record, the credit, and the end.</summary>
    private const int Steps = 6;

    public static TheoryData<int, bool, bool> Crashes()
    {
        var data = new TheoryData<int, bool, bool>();
        foreach (var step in Enumerable.Range(1, Steps))
        {
            data.Add(step, false, false);
            data.Add(step, false, true);
            data.Add(step, true, false);
            data.Add(step, true, true);
        }

        return data;
    }

    [Fact]
    public async Task A_transfer_moves_money_once_however_often_it_is_asked_for()
    {
        await FundAsync(100);

        var first = await _bank.Transfer("t1").ExecuteAsync(Order);
        var writes = _bank.Plan.Writes;
        var again = await _bank.Transfer("t1").ExecuteAsync(Order);

        var view = new TransferView("t1", TransferStage.Done, 30, new("alice", 70, 2, "a"), new("bob", 30, 1, "a"));
        Assert.Equal(new TransferResult.Ended(view), first);
        Assert.Equal(first, again);
        Assert.Equal(view, await _bank.Transfer("t1").GetAsync());
        Assert.Equal(Steps + 1, writes);
        Assert.Equal(writes, _bank.Plan.Writes);
        Assert.False(_bank.Reminder("t1").IsSet);
    }

    [Theory]
    [MemberData(nameof(Crashes))]
    public async Task A_crash_at_any_step_is_mended_by_asking_again(int step, bool heard, bool all)
    {
        await FundAsync(100);
        (_bank.Plan.FailAt, _bank.Plan.Fault) = (_bank.Plan.Writes + step, heard ? Fault.AppliedUnheard : Fault.Lost);
        var transfer = _bank.Transfer("t1");

        await Assert.ThrowsAsync<StorageDownException>(() => transfer.ExecuteAsync(Order));
        if (all)
        {
            _bank.Crash();
            transfer = _bank.Transfer("t1");
        }

        var result = Assert.IsType<TransferResult.Ended>(await transfer.ExecuteAsync(Order));
        Assert.Equal(TransferStage.Done, result.Transfer.State);
        Assert.Equal(TransferStage.Done, _bank.Stage("t1"));
        Assert.Equal((70m, 2L), (_bank.Balance("alice").Balance, _bank.Balance("alice").Version));
        Assert.Equal((30m, 1L), (_bank.Balance("bob").Balance, _bank.Balance("bob").Version));
    }

    [Theory]
    [MemberData(nameof(Crashes))]
    public async Task Money_is_not_doubled_when_thousands_of_operations_come_between(int step, bool heard, bool all)
    {
        await FundAsync(100);
        (_bank.Plan.FailAt, _bank.Plan.Fault) = (_bank.Plan.Writes + step, heard ? Fault.AppliedUnheard : Fault.Lost);
        var transfer = _bank.Transfer("t1");
        await Assert.ThrowsAsync<StorageDownException>(() => transfer.ExecuteAsync(Order));
        if (all)
        {
            _bank.Crash();
            transfer = _bank.Transfer("t1");
        }

        await TrafficAsync();
        await transfer.ExecuteAsync(Order);

        Assert.Equal(70 + AccountState.Remembered, _bank.Balance("alice").Balance);
        Assert.Equal(30 + AccountState.Remembered, _bank.Balance("bob").Balance);
    }

    [Fact]
    public async Task A_settled_transfer_takes_no_room_for_ever()
    {
        await FundAsync(100);
        await _bank.Transfer("t1").ExecuteAsync(Order);

        await TrafficAsync();
        _bank.Time.Advance(AccountState.RememberedFor);
        await TrafficAsync("more");

        foreach (var account in new[] { "alice", "bob" })
        {
            var entries = _bank.Pages(account).All.SelectMany(page => page.Entries);
            Assert.DoesNotContain(
                entries.Concat(_bank.Balance(account).Entries), entry => entry.Operation.RequestId == "t1");
        }
    }

    [Fact]
    public async Task Without_funds_it_is_rejected_for_good()
    {
        await FundAsync(10);

        var rejected = await _bank.Transfer("t1").ExecuteAsync(Order);
        await FundAsync(1000);
        var again = await _bank.Transfer("t1").ExecuteAsync(Order);

        Assert.Equal(TransferStage.Rejected, Assert.IsType<TransferResult.Ended>(rejected).Transfer.State);
        Assert.Equal(TransferStage.Rejected, Assert.IsType<TransferResult.Ended>(again).Transfer.State);
        Assert.Equal(1010, _bank.Balance("alice").Balance);
        Assert.Equal(0, _bank.Balance("bob").Balance);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task A_crash_of_a_rejection_never_takes_money(int step)
    {
        await FundAsync(10);
        _bank.Plan.FailAt = _bank.Plan.Writes + step;
        _bank.Plan.Fault = Fault.AppliedUnheard;
        await Assert.ThrowsAsync<StorageDownException>(() => _bank.Transfer("t1").ExecuteAsync(Order));
        _bank.Crash();
        await FundAsync(1000);

        var result = Assert.IsType<TransferResult.Ended>(await _bank.Transfer("t1").ExecuteAsync(Order));

        // Only before the account was asked can the new money count.
        var moved = step <= 2 ? 30 : 0;
        Assert.Equal(step <= 2 ? TransferStage.Done : TransferStage.Rejected, result.Transfer.State);
        Assert.Equal(1010 - moved, _bank.Balance("alice").Balance);
        Assert.Equal(moved, _bank.Balance("bob").Balance);
    }

    [Fact]
    public async Task A_request_id_names_one_transfer()
    {
        await FundAsync(100);
        await _bank.Transfer("t1").ExecuteAsync(Order);

        TransferOrder[] others = [Order with { Amount = 31 }, Order with { To = "carol" }, Order with { From = "x" }];
        foreach (var other in others)
        {
            Assert.Equal(
                new TransferResult.RequestIdReused(Order), await _bank.Transfer("t1").ExecuteAsync(other));
        }

        Assert.Equal(70, _bank.Balance("alice").Balance);
    }

    [Fact]
    public async Task An_older_activation_reads_its_register_before_it_goes_on()
    {
        await FundAsync(100);
        _bank.Plan.FailAt = _bank.Plan.Writes + 3;
        await Assert.ThrowsAsync<StorageDownException>(() => _bank.Transfer("t1").ExecuteAsync(Order));
        var older = _bank.Transfer("t1");
        await _bank.Transfer("t1").ExecuteAsync(Order);
        await TrafficAsync();
        await TrafficAsync("more");

        await older.ExecuteAsync(Order);

        Assert.Equal(70 + (2 * AccountState.Remembered), _bank.Balance("alice").Balance);
    }

    [Fact]
    public async Task Nobody_asked_for_it()
    {
        Assert.Null(await _bank.Transfer("t1").GetAsync());
    }

    private async Task FundAsync(decimal amount) =>
        await _bank.Account("alice").ApplyAsync(new(OperationKind.Deposit, $"fund{amount}", amount));

    private async Task TrafficAsync(string prefix = "x")
    {
        for (var i = 0; i < AccountState.Remembered; i++)
        {
            await _bank.Account("alice").ApplyAsync(new(OperationKind.Deposit, $"{prefix}{i}", 1));
            await _bank.Account("bob").ApplyAsync(new(OperationKind.Deposit, $"{prefix}{i}", 1));
        }
    }
}
