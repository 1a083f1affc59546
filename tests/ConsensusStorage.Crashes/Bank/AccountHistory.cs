using Orleans.Consensus.Simulation.Linearizability;

namespace Orleans.Consensus.Crashes.Bank;

/// <summary>An account as one process would hold it.</summary>
internal readonly record struct AccountModel(decimal Balance, long Version);

/// <summary>What happened to an account, as a client was told.</summary>
internal enum AccountEvent
{
    /// <summary>It was read.</summary>
    Read,

    /// <summary>Money came or went, once, however often it was asked for.</summary>
    Changed,

    /// <summary>There was not enough money for the change.</summary>
    Refused,
}

/// <summary>An event of an account at some time between two moments.</summary>
/// <param name="Change">What the event adds to the balance, or would have.</param>
/// <param name="Seen">The account right after it, if the client was told.</param>
internal sealed record AccountOperation(
    AccountEvent Event,
    decimal Change,
    AccountModel? Seen,
    int Invoked,
    int Returned,
    bool IsOptional = false) : ITimedOperation
{
    /// <summary>The account after this; null if it can't have happened so there.</summary>
    public AccountModel? After(AccountModel model) => Event switch
    {
        AccountEvent.Read => IsSeen(model),
        AccountEvent.Refused => model.Balance + Change < 0 ? model : null,
        _ => model.Balance + Change < 0 ? null : IsSeen(new(model.Balance + Change, model.Version + 1)),
    };

    private AccountModel? IsSeen(AccountModel model) => Seen is null || Seen == model ? model : null;
}

/// <summary>
/// All that clients were told of one account. An order is one operation from its first request to its answer: that
/// repeating a request changes nothing is a part of what is checked.
/// </summary>
internal static class AccountHistory
{
    /// <summary>Whether it has an order that explains it and keeps to real time.</summary>
    public static bool IsLinearizable(IEnumerable<AccountOperation> operations) =>
        new LinearizationSearch<AccountOperation, AccountModel>(
            operations, (operation, model) => operation.After(model), HistoryChecker.MostStates)
            .Succeeds();

    public static AccountOperation Of(FreshRead read) =>
        new(AccountEvent.Read, 0, read.Seen, read.Invoked, read.Returned);

    /// <summary>
    /// What an answer tells of each account. Of both ends of a transfer it shows no more than how they are by now. A
    /// withdrawal that was refused may be applied later, by a request of it that was given up and is still on its way.
    /// </summary>
    public static IEnumerable<(string Account, AccountOperation Operation)> Of(Acknowledgement told)
    {
        var (order, answer) = (told.Order, told.Answer);
        if (told.Applied)
        {
            AccountModel? seen = order.Kind == OrderKind.Transfer ? null : new(answer.Balance, answer.Version);
            foreach (var entry in order.Entries())
            {
                yield return (entry.Account, At(AccountEvent.Changed, entry.Change, seen));
            }

            yield break;
        }

        yield return (order.Account, At(AccountEvent.Refused, -order.Amount, null));
        if (!told.Final)
        {
            yield return (order.Account, At(AccountEvent.Changed, -order.Amount, null) with
            {
                Returned = ITimedOperation.Open,
                IsOptional = true,
            });
        }

        AccountOperation At(AccountEvent what, decimal change, AccountModel? seen) =>
            new(what, change, seen, told.Invoked, told.Returned);
    }
}
