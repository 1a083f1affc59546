using System.Collections.Immutable;

namespace Orleans.Consensus.SampleSilo.Bank;

/// <summary>What moves money. A request id counts within its <see cref="RequestScope"/>.</summary>
internal enum OperationKind : byte
{
    Deposit = 1,
    Withdrawal = 2,
    TransferOut = 3,
    TransferIn = 4,
}

/// <summary>Names of requests that don't collide: a client's own, and both ends of transfers.</summary>
internal enum RequestScope : byte
{
    Client,
    TransferOut,
    TransferIn,
}

/// <summary>Something to be done to an account once, however often it is asked for.</summary>
[GenerateSerializer, Immutable, Alias("bank.operation")]
internal sealed record Operation(
    [property: Id(0)] OperationKind Kind, [property: Id(1)] string RequestId, [property: Id(2)] decimal Amount)
{
    public static RequestScope ScopeOf(OperationKind kind) => kind switch
    {
        OperationKind.TransferOut => RequestScope.TransferOut,
        OperationKind.TransferIn => RequestScope.TransferIn,
        _ => RequestScope.Client,
    };

    public RequestScope Scope => ScopeOf(Kind);

    public bool TakesMoney => Kind is OperationKind.Withdrawal or OperationKind.TransferOut;
}

/// <summary>An operation that was applied, with what it left behind; or one that is refused for ever.</summary>
/// <param name="Operation">What was asked for.</param>
/// <param name="Balance">The balance after it.</param>
/// <param name="Version">The account's version after it.</param>
/// <param name="Refused">There was not enough money, and later money will not change that.</param>
/// <param name="Kept">
/// An end of a transfer that may still be repeated: it is not forgotten, however many operations follow.
/// </param>
[GenerateSerializer, Immutable, Alias("bank.entry")]
internal sealed record AccountEntry(
    [property: Id(0)] Operation Operation,
    [property: Id(1)] decimal Balance,
    [property: Id(2)] long Version,
    [property: Id(3)] bool Refused,
    [property: Id(4)] bool Kept);

/// <summary>How <see cref="AccountState.Apply"/> ended.</summary>
internal abstract record AccountStep
{
    /// <summary>Money moved: <paramref name="Next"/> has to be stored.</summary>
    public sealed record Applied(AccountState Next, AccountEntry Entry) : AccountStep;

    /// <summary>It had been applied, or refused for ever, before.</summary>
    public sealed record Repeated(AccountEntry Entry) : AccountStep;

    /// <summary>Its request id had been used for something else.</summary>
    public sealed record Reused(AccountEntry Entry) : AccountStep;

    /// <summary>There is not enough money.</summary>
    /// <param name="Next">
    /// Has to be stored first, if it is not null: a transfer acts on a refusal, so it must hold even when money comes
    /// in and another activation of that transfer asks again. A client's withdrawal leaves no trace and may be tried
    /// again under the same request id.
    /// </param>
    public sealed record InsufficientFunds(AccountState? Next) : AccountStep;
}

/// <summary>
/// The rules of an account, pure. The entries are its history and its memory of requests in one; the last
/// <see cref="Remembered"/> are held, and those that are kept. Immutable.
/// </summary>
[GenerateSerializer, Immutable, Alias("bank.account")]
internal sealed record AccountState
{
    public const int Remembered = 1000;

    [Id(0)]
    public decimal Balance { get; init; }

    /// <summary>Number of operations ever applied.</summary>
    [Id(1)]
    public long Version { get; init; }

    /// <summary>Oldest first.</summary>
    [Id(2)]
    public ImmutableArray<AccountEntry> Entries { get; init; } = [];

    public AccountEntry? Find(RequestScope scope, string requestId) => Entries.LastOrDefault(
        entry => entry.Operation.Scope == scope && entry.Operation.RequestId == requestId);

    public AccountStep Apply(Operation operation)
    {
        if (Find(operation.Scope, operation.RequestId) is { } entry)
        {
            return entry.Operation == operation ? new AccountStep.Repeated(entry) : new AccountStep.Reused(entry);
        }

        var kept = operation.Scope != RequestScope.Client;
        var balance = operation.TakesMoney ? Balance - operation.Amount : Balance + operation.Amount;
        if (balance < 0)
        {
            var refused = new AccountEntry(operation, Balance, Version, Refused: true, kept);
            return new AccountStep.InsufficientFunds(kept ? With(refused) : null);
        }

        var applied = new AccountEntry(operation, balance, Version + 1, Refused: false, kept);
        return new AccountStep.Applied(With(applied), applied);
    }

    /// <summary>
    /// Lets an end of a transfer be forgotten like any other entry. It goes to the end of the line, so that
    /// <see cref="Remembered"/> further operations have to come first.
    /// </summary>
    public AccountState Release(RequestScope scope, string requestId) =>
        Find(scope, requestId) is { Kept: true } entry
            ? this with { Entries = Entries.Remove(entry).Add(entry with { Kept = false }) }
            : this;

    private AccountState With(AccountEntry entry) =>
        new() { Balance = entry.Balance, Version = entry.Version, Entries = Trimmed(Entries.Add(entry)) };

    private static ImmutableArray<AccountEntry> Trimmed(ImmutableArray<AccountEntry> entries)
    {
        var excess = entries.Count(entry => !entry.Kept) - Remembered;
        return excess <= 0 ? entries : entries.RemoveAll(entry => !entry.Kept && excess-- > 0);
    }
}
