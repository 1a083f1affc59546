using System.Net;
using System.Text.Json;
using Orleans.Consensus.Crashes.Bank;
using Orleans.Consensus.Simulation.Linearizability;

namespace Orleans.Consensus.Tests.Linearizability;

/// <summary>What customers of a bank may be told of an account, and what they may not.</summary>
public sealed class AccountHistoryTests
{
    private const int Open = ITimedOperation.Open;

    private static readonly Dictionary<string, AccountOperation[]> Good = new()
    {
        ["nothing"] = [],
        ["an untouched account"] = [Read(1, 2, 0, 0)],
        ["deposits one after the other"] = [Change(1, 2, 5, 5, 1), Change(3, 4, 2, 7, 2), Read(5, 6, 7, 2)],
        ["deposits at the same time, the later one first"] = [Change(1, 4, 5, 7, 2), Change(2, 3, 2, 2, 1)],
        ["a read during a deposit that knows it"] = [Change(1, 4, 5, 5, 1), Read(2, 3, 5, 1)],
        ["a read during a deposit that does not"] = [Change(1, 4, 5, 5, 1), Read(2, 3, 0, 0)],
        ["a transfer's end between two answers"] =
            [Change(1, 2, 5, 5, 1), Change(3, 6, -2), Change(4, 5, 1, 4, 3)],
        ["a refusal for want of money"] = [Change(1, 2, 5, 5, 1), Refusal(3, 4, 6)],
        ["a refusal before the money came"] = [Change(1, 4, 5, 5, 1), Refusal(2, 3, 5)],
        ["a refused withdrawal that came late"] =
            [Refusal(1, 2, 3), Late(1, 3), Change(3, 4, 5, 5, 1), Read(5, 6, 2, 2)],
        ["a refused withdrawal that never came"] =
            [Refusal(1, 2, 3), Late(1, 3), Change(3, 4, 5, 5, 1), Read(5, 6, 5, 1)],
    };

    private static readonly Dictionary<string, AccountOperation[]> Bad = new()
    {
        ["a lost deposit"] = [Change(1, 2, 5, 5, 1), Read(3, 4, 0, 0)],
        ["a doubled deposit"] = [Change(1, 2, 5, 5, 1), Read(3, 4, 10, 2)],
        ["a stale read after a fresh one"] = [Change(1, 6, 5, 5, 1), Read(2, 3, 5, 1), Read(4, 5, 0, 0)],
        ["a read from the future"] = [Read(1, 2, 5, 1), Change(3, 4, 5, 5, 1)],
        ["two deposits that know nothing of one another"] = [Change(1, 2, 5, 5, 1), Change(3, 4, 2, 2, 1)],
        ["money without a change"] = [Change(1, 2, 5, 5, 1), Read(3, 4, 6, 1)],
        ["a change that left no version"] = [Change(1, 2, 5, 5, 1), Change(3, 4, -5), Read(5, 6, 0, 1)],
        ["an overdraft"] = [Change(1, 2, -5)],
        ["a refusal in spite of money"] = [Change(1, 2, 5, 5, 1), Refusal(3, 4, 5)],
        ["a lost end of a transfer"] = [Change(1, 2, 5), Read(3, 4, 0, 0)],
    };

    public static TheoryData<string> GoodNames => [.. Good.Keys];

    public static TheoryData<string> BadNames => [.. Bad.Keys];

    [Theory]
    [MemberData(nameof(GoodNames))]
    public void What_may_be_told_is_linearizable(string name) =>
        Assert.True(AccountHistory.IsLinearizable(Good[name]));

    [Theory]
    [MemberData(nameof(BadNames))]
    public void What_must_not_be_told_is_not(string name) => Assert.False(AccountHistory.IsLinearizable(Bad[name]));

    [Fact]
    public void A_transfer_is_an_event_of_two_accounts_and_shows_neither()
    {
        var told = Told(OrderKind.Transfer, HttpStatusCode.OK, """{"state":"done"}""");

        Assert.Equal([("x", Change(1, 2, -5)), ("y", Change(1, 2, 5))], AccountHistory.Of(told));
    }

    [Fact]
    public void A_deposit_shows_the_account_right_after_it()
    {
        var told = Told(OrderKind.Deposit, HttpStatusCode.OK, """{"balance":7,"version":2}""");

        Assert.Equal([("x", Change(1, 2, 5, 7, 2))], AccountHistory.Of(told));
    }

    [Fact]
    public void A_refused_withdrawal_may_come_late_and_a_rejected_transfer_may_not()
    {
        var withdrawal = Told(OrderKind.Withdraw, HttpStatusCode.Conflict, "{}");
        var transfer = Told(OrderKind.Transfer, HttpStatusCode.Conflict, "{}");

        Assert.Equal([("x", Refusal(1, 2, 5)), ("x", Late(1, 5))], AccountHistory.Of(withdrawal));
        Assert.Equal([("x", Refusal(1, 2, 5))], AccountHistory.Of(transfer));
    }

    private static Acknowledgement Told(OrderKind kind, HttpStatusCode status, string body) => new(
        new(kind, "1", "x", "y", 5), new(status, null, JsonDocument.Parse(body).RootElement, null), 1, 2);

    private static AccountOperation Read(int invoked, int returned, decimal balance, long version) =>
        new(AccountEvent.Read, 0, new(balance, version), invoked, returned);

    private static AccountOperation Change(int invoked, int returned, decimal change) =>
        new(AccountEvent.Changed, change, null, invoked, returned);

    private static AccountOperation Change(int invoked, int returned, decimal change, decimal balance, long version) =>
        new(AccountEvent.Changed, change, new(balance, version), invoked, returned);

    private static AccountOperation Refusal(int invoked, int returned, decimal amount) =>
        new(AccountEvent.Refused, -amount, null, invoked, returned);

    private static AccountOperation Late(int invoked, decimal amount) =>
        new(AccountEvent.Changed, -amount, null, invoked, Open, IsOptional: true);
}
