using System.Net;

namespace Orleans.Consensus.Crashes.Bank;

/// <summary>What a customer may want, as the bank's history calls it.</summary>
internal enum OrderKind
{
    Deposit,
    Withdraw,
    Transfer,
}

/// <summary>Something to be done once.</summary>
/// <param name="Account">Where money comes to or is taken from.</param>
/// <param name="Target">Where a transfer brings it.</param>
internal sealed record BankOrder(OrderKind Kind, string RequestId, string Account, string Target, decimal Amount)
{
    public Task<Answer> SendAsync(BankClient bank) => Kind switch
    {
        OrderKind.Deposit => bank.PostAsync(
            $"/accounts/{Account}/deposit", new { amount = Amount, requestId = RequestId }),
        OrderKind.Withdraw => bank.PostAsync(
            $"/accounts/{Account}/withdraw", new { amount = Amount, requestId = RequestId }),
        _ => bank.PostAsync(
            "/transfers", new { from = Account, to = Target, amount = Amount, requestId = RequestId }),
    };

    /// <summary>What it leaves in the accounts' histories.</summary>
    public IEnumerable<BankEntry> Entries() => Kind switch
    {
        OrderKind.Deposit => [new(Account, "deposit", RequestId, Amount)],
        OrderKind.Withdraw => [new(Account, "withdraw", RequestId, -Amount)],
        _ => [new(Account, "transferOut", RequestId, -Amount), new(Target, "transferIn", RequestId, Amount)],
    };
}

/// <summary>A line of an account's history.</summary>
/// <param name="Change">Of the balance.</param>
internal sealed record BankEntry(string Account, string Kind, string RequestId, decimal Change);

/// <summary>An order with its definite answer: 200, or 409 for want of money.</summary>
/// <param name="Invoked">When it was first sent, by the ledger's clock.</param>
/// <param name="Returned">When it was answered.</param>
internal sealed record Acknowledgement(BankOrder Order, Answer Answer, int Invoked, int Returned)
{
    public bool Applied => Answer.Status == HttpStatusCode.OK;

    /// <summary>Whether the answer stays so for ever. A withdrawal may be tried again when there is money.</summary>
    public bool Final => Applied || Order.Kind == OrderKind.Transfer;
}

/// <summary>What an account's register held at some time between two moments.</summary>
internal sealed record FreshRead(string Account, AccountModel Seen, int Invoked, int Returned);
