using System.Globalization;
using Orleans.Consensus.SampleSilo.Bank;

namespace Orleans.Consensus.SampleSilo.Api;

/// <summary>An operation in an account's history.</summary>
internal sealed record EntryView(long Version, string Kind, decimal Amount, decimal Balance, string RequestId)
{
    public static EntryView Of(AccountEntry entry) => new(
        entry.Version,
        entry.Operation.Kind switch
        {
            OperationKind.Deposit => "deposit",
            OperationKind.Withdrawal => "withdraw",
            OperationKind.TransferOut => "transferOut",
            _ => "transferIn",
        },
        entry.Operation.Amount,
        entry.Balance,
        entry.Operation.RequestId);
}

/// <summary>A transfer with both accounts as they are now.</summary>
internal sealed record TransferAnswer(
    string RequestId, string State, decimal Amount, AccountView From, AccountView To)
{
    public static TransferAnswer Of(TransferView transfer) => new(
        transfer.RequestId,
        transfer.State switch
        {
            TransferStage.Done => "done",
            TransferStage.Rejected => "rejected",
            TransferStage.Debited => "debited",
            _ => "intended",
        },
        transfer.Amount,
        transfer.From,
        transfer.To);
}

/// <summary>A standing order as it stands.</summary>
/// <param name="Times">Number of payments, or null for no end.</param>
/// <param name="Done">Payments that moved money.</param>
/// <param name="Rejected">Payments that moved nothing: for want of money, or because their name was taken.</param>
/// <param name="Skipped">Due dates that passed without a payment.</param>
/// <param name="Next">When the next payment is due; null if there is none.</param>
/// <param name="Last">The last payment, or null.</param>
internal sealed record StandingOrderAnswer(
    string RequestId,
    string State,
    string From,
    string To,
    decimal Amount,
    long PeriodSeconds,
    int? Times,
    int Done,
    int Rejected,
    long Skipped,
    DateTimeOffset? Next,
    PaymentAnswer? Last)
{
    public static StandingOrderAnswer Of(StandingOrderView order)
    {
        var (requestId, terms, state) = order;
        return new(
            requestId,
            state.Stage switch
            {
                StandingOrderStage.Active => "active",
                StandingOrderStage.Ended => "ended",
                _ => "cancelled",
            },
            terms.Payment.From,
            terms.Payment.To,
            terms.Payment.Amount,
            (long)terms.Period.TotalSeconds,
            terms.Times,
            state.Done,
            state.Rejected,
            state.Skipped,
            state.IsActive ? state.Next : null,
            state.Last is { } payment ? PaymentAnswer.Of(requestId, payment) : null);
    }
}

/// <summary>A payment of a standing order.</summary>
/// <param name="RequestId">That of its transfer.</param>
internal sealed record PaymentAnswer(string RequestId, string State, DateTimeOffset Due)
{
    public static PaymentAnswer Of(string order, Payment payment) => new(
        StandingOrder.NameOf(order, payment),
        payment.Stage switch
        {
            TransferStage.Done => "done",
            TransferStage.Rejected => "rejected",
            _ => "pending",
        },
        payment.Due);
}

/// <summary>Refusals for people.</summary>
internal static class Words
{
    public static string Insufficient(AccountView account) => string.Create(
        CultureInfo.InvariantCulture, $"Account '{account.Id}' holds {account.Balance}. Nothing was moved.");

    public static string Reused(Operation earlier) => string.Create(
        CultureInfo.InvariantCulture,
        $"'{earlier.RequestId}' was a {earlier.Kind} of {earlier.Amount} on this account. Nothing was moved.");

    public static string Reused(TransferOrder earlier) => string.Create(
        CultureInfo.InvariantCulture,
        $"It transfers {earlier.Amount} from '{earlier.From}' to '{earlier.To}'. Nothing else was moved.");

    public static string Reused(StandingOrderTerms earlier) => string.Create(
        CultureInfo.InvariantCulture,
        $"It transfers {earlier.Payment.Amount} from '{earlier.Payment.From}' to '{earlier.Payment.To}' every "
        + $"{earlier.Period.TotalSeconds} seconds, {Count(earlier.Times)}. Nothing was changed.");

    private static string Count(int? times) => times is { } count
        ? string.Create(CultureInfo.InvariantCulture, $"{count} times")
        : "without an end";
}
