using System.Net;
using System.Text.Json;
using Orleans.Consensus.Crashes;
using Orleans.Consensus.Crashes.Bank;

namespace Orleans.Consensus.Tests.Crashes;

/// <summary>The crash suite's audit passes a bank that is right, and no other.</summary>
public sealed class BankLedgerTests
{
    private const int Silos = 3;

    private readonly BankLedger _ledger = new();

    [Fact]
    public async Task A_bank_that_is_right_passes()
    {
        var bank = new FakeBank();
        await DepositAsync(bank, "1", "2", "3", "2");

        await VerifyAsync(bank);
    }

    [Fact]
    public async Task A_lost_deposit_is_seen() => await FailsAsync(new() { Loses = "3" }, "lost", "1", "2", "3");

    [Fact]
    public async Task A_doubled_deposit_is_seen() =>
        await FailsAsync(new() { Doubles = "2" }, "Applied twice", "1", "2", "2", "3");

    [Fact]
    public async Task A_silo_that_is_behind_is_seen() =>
        await FailsAsync(new() { Lags = PortOf(Silos - 1) }, "acknowledged was", "1", "2");

    [Fact]
    public async Task Another_answer_to_a_request_that_is_repeated_is_seen() =>
        await FailsAsync(new() { Forgets = true }, "and now", "1", "2");

    [Fact]
    public async Task A_deposit_that_nobody_made_is_seen()
    {
        var bank = new FakeBank();
        await DepositAsync(bank, "1", "2");
        bank.Invent();

        await FailsAsync(bank, "Never acknowledged");
    }

    [Fact]
    public async Task Money_in_an_account_that_got_nothing_but_refusals_is_seen()
    {
        var bank = new FakeBank();
        var order = new BankOrder(OrderKind.Withdraw, "1", "account", "", 5);
        var refusal = new Answer(HttpStatusCode.Conflict, null, JsonSerializer.SerializeToElement(new { }), null);
        _ledger.Add(order, refusal, _ledger.Tick());
        bank.Invent();

        await FailsAsync(bank, "Never acknowledged");
    }

    [Fact]
    public async Task A_read_that_went_back_is_seen()
    {
        var bank = new FakeBank { Lags = PortOf(1) };
        await DepositAsync(bank, "1");
        using var behind = ClientOf(bank, 1);
        await _ledger.ReadAsync(behind, "account");
        await DepositAsync(bank, "2");

        // The silo that lags is not asked again.
        using var right = ClientOf(bank, 0);
        var violation = await Assert.ThrowsAsync<ViolationException>(() => _ledger.VerifyAsync(right));
        Assert.Contains("No order explains", violation.Message, StringComparison.Ordinal);
    }

    private static int PortOf(int silo) => 5081 + silo;

    private static BankClient ClientOf(FakeBank bank, params int[] silos) =>
        new(bank, [.. silos.Select(silo => new Uri($"http://127.0.0.1:{PortOf(silo)}"))]);

    private async Task FailsAsync(FakeBank bank, string words, params string[] requests)
    {
        await DepositAsync(bank, requests);

        var violation = await Assert.ThrowsAsync<ViolationException>(() => VerifyAsync(bank));

        Assert.Contains(words, violation.Message, StringComparison.Ordinal);
    }

    private async Task DepositAsync(FakeBank bank, params string[] requests)
    {
        using var client = ClientOf(bank, 0);
        var before = _ledger.Acknowledged.Select(each => each.Order.RequestId).ToHashSet();
        foreach (var request in requests)
        {
            var order = new BankOrder(OrderKind.Deposit, request, "account", "", 1);
            var invoked = _ledger.Tick();
            var answer = await client.InsistAsync(() => order.SendAsync(client));

            // A customer notes a request that he repeats once.
            if (before.Add(request))
            {
                _ledger.Add(order, answer, invoked);
            }
        }
    }

    private Task VerifyAsync(FakeBank bank) =>
        _ledger.VerifyAsync([.. Enumerable.Range(0, Silos).Select(silo => ClientOf(bank, silo))]);
}
