using Orleans.Consensus.SampleSilo.Bank;
using Orleans.Storage;

namespace Orleans.Consensus.Tests.Sample;

public sealed class AccountTests
{
    private readonly FakeBank _bank = new();

    [Fact]
    public async Task An_unused_account_is_empty()
    {
        Assert.Equal(new AccountView("alice", 0, 0, "a"), await _bank.Account("alice").GetAsync(fresh: true));
    }

    [Fact]
    public async Task A_repeated_request_is_applied_once_and_answered_alike()
    {
        var alice = _bank.Account("alice");

        var first = await alice.ApplyAsync(Deposit("d1", 10.5m));
        await alice.ApplyAsync(Deposit("d2", 1));
        var again = await alice.ApplyAsync(Deposit("d1", 10.50m));

        Assert.Equal(new OperationResult.Applied(new("alice", 10.5m, 1, "a")), first);
        Assert.Equal(first, again);
        Assert.Equal(11.5m, _bank.Balance("alice").Balance);
    }

    [Theory]
    [InlineData(OperationKind.Deposit, 11)]
    [InlineData(OperationKind.Withdrawal, 10)]
    internal async Task A_request_id_names_one_operation(OperationKind kind, int amount)
    {
        var alice = _bank.Account("alice");
        await alice.ApplyAsync(Deposit("d1", 10));

        var result = await alice.ApplyAsync(new(kind, "d1", amount));

        Assert.Equal(new OperationResult.RequestIdReused(Deposit("d1", 10)), result);
        Assert.Equal(10, _bank.Balance("alice").Balance);
    }

    [Fact]
    public async Task A_withdrawal_without_funds_moves_nothing_and_may_be_tried_again()
    {
        var alice = _bank.Account("alice");

        var refused = await alice.ApplyAsync(Withdraw("w1", 5));
        var writes = _bank.Plan.Writes;
        await alice.ApplyAsync(Deposit("d1", 5));
        var applied = await alice.ApplyAsync(Withdraw("w1", 5));

        Assert.Equal(new OperationResult.InsufficientFunds(new("alice", 0, 0, "a")), refused);
        Assert.Equal(0, writes);
        Assert.Equal(new OperationResult.Applied(new("alice", 0, 2, "a")), applied);
    }

    [Fact]
    public async Task A_duplicate_activation_does_not_refuse_from_memory()
    {
        var duplicate = _bank.Activate("alice");
        await _bank.Account("alice").ApplyAsync(Deposit("d1", 5));

        Assert.IsType<OperationResult.Applied>(await duplicate.ApplyAsync(Withdraw("w1", 5)));
    }

    [Fact]
    public async Task A_duplicate_activation_can_not_write_over_the_other()
    {
        var duplicate = _bank.Activate("alice");
        await _bank.Account("alice").ApplyAsync(Deposit("d1", 5));

        await Assert.ThrowsAsync<InconsistentStateException>(() => duplicate.ApplyAsync(Deposit("d2", 7)));
        Assert.Equal(5, (await duplicate.GetAsync(fresh: false)).Balance);
        Assert.Equal(5, _bank.Balance("alice").Balance);
    }

    [Theory]
    [InlineData(Fault.Lost, 0)]
    [InlineData(Fault.AppliedUnheard, 5)]
    internal async Task After_a_failed_write_the_register_is_read_before_anything_is_answered(Fault fault, int balance)
    {
        var alice = _bank.Account("alice");
        (_bank.Plan.FailAt, _bank.Plan.Fault) = (1, fault);

        await Assert.ThrowsAsync<StorageDownException>(() => alice.ApplyAsync(Deposit("d1", 5)));
        _bank.Plan.ReadsFail = true;
        await Assert.ThrowsAsync<StorageDownException>(() => alice.GetAsync(fresh: false));
        await Assert.ThrowsAsync<StorageDownException>(() => alice.ApplyAsync(Deposit("d1", 5)));
        _bank.Plan.ReadsFail = false;

        Assert.Equal(balance, (await alice.GetAsync(fresh: false)).Balance);
        Assert.Equal(new OperationResult.Applied(new("alice", 5, 1, "a")), await alice.ApplyAsync(Deposit("d1", 5)));
        Assert.Equal(5, _bank.Balance("alice").Balance);
    }

    [Fact]
    public async Task History_shows_what_was_applied_the_latest_first()
    {
        var alice = _bank.Account("alice");
        await alice.ApplyAsync(Deposit("d1", 5));
        await alice.ApplyAsync(new(OperationKind.TransferOut, "t1", 50));
        await alice.ApplyAsync(Withdraw("w1", 2));
        await alice.ApplyAsync(Deposit("d2", 1));

        var history = await alice.GetHistoryAsync(2);

        Assert.Equal(["d2", "w1"], history.Select(entry => entry.Operation.RequestId));
        Assert.Equal(2, (await alice.GetHistoryAsync(100))[^1].Version + 1);
    }

    private static Operation Deposit(string id, decimal amount) => new(OperationKind.Deposit, id, amount);

    private static Operation Withdraw(string id, decimal amount) => new(OperationKind.Withdrawal, id, amount);
}
