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
}
