using System.Collections.Immutable;
using System.Text;

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
/// <param name="At">When it was asked for, by the clock of its silo.</param>
[GenerateSerializer, Immutable, Alias("bank.entry")]
internal sealed record AccountEntry(
    [property: Id(0)] Operation Operation,
    [property: Id(1)] decimal Balance,
    [property: Id(2)] long Version,
    [property: Id(3)] bool Refused,
    [property: Id(4)] bool Kept,
    [property: Id(5)] DateTimeOffset At)
{
    public (RequestScope Scope, string RequestId) Key => (Operation.Scope, Operation.RequestId);

    /// <summary>More bytes than it takes in a state.</summary>
    public int Size => 96 + Encoding.UTF8.GetByteCount(Operation.RequestId);
}

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
/// The rules of an account, pure. The state holds the last entries, some kilobytes of them at most; older ones are in
/// pages, numbered from <see cref="FirstPage"/> to before <see cref="NextPage"/>. All of them are the account's history
/// and its memory of requests in one. Immutable.
/// </summary>
[GenerateSerializer, Immutable, Alias("bank.account")]
internal sealed record AccountState
{
    /// <summary>Requests that are remembered at least.</summary>
    public const int Remembered = 1000;

    /// <summary>As much of it goes to a page at once.</summary>
    public const int PageBytes = 1_400;

    private const int MostBytes = 2 * PageBytes;

    /// <summary>How long requests are remembered at least.</summary>
    public static readonly TimeSpan RememberedFor = TimeSpan.FromDays(1);

    [Id(0)]
    public decimal Balance { get; init; }

    /// <summary>Number of operations ever applied.</summary>
    [Id(1)]
    public long Version { get; init; }

    /// <summary>Those that are in no page, oldest first.</summary>
    [Id(2)]
    public ImmutableArray<AccountEntry> Entries { get; init; } = [];

    /// <summary>The oldest page that counts.</summary>
    [Id(3)]
    public int FirstPage { get; init; }

    /// <summary>The page that is written next.</summary>
    [Id(4)]
    public int NextPage { get; init; }

    /// <summary>Entries have to go to a page first.</summary>
    public bool IsFull => Entries.Sum(entry => entry.Size) > MostBytes;

    public AccountEntry? Find(RequestScope scope, string requestId) => Entries.LastOrDefault(
        entry => entry.Operation.Scope == scope && entry.Operation.RequestId == requestId);

    /// <param name="paged">The operation's entry in a page, if there is one.</param>
    public AccountStep Apply(Operation operation, DateTimeOffset at, AccountEntry? paged = null)
    {
        if ((Find(operation.Scope, operation.RequestId) ?? paged) is { } entry)
        {
            return entry.Operation == operation ? new AccountStep.Repeated(entry) : new AccountStep.Reused(entry);
        }

        var kept = operation.Scope != RequestScope.Client;
        var balance = operation.TakesMoney ? Balance - operation.Amount : Balance + operation.Amount;
        if (balance < 0)
        {
            var refused = new AccountEntry(operation, Balance, Version, Refused: true, kept, at);
            return new AccountStep.InsufficientFunds(kept ? With(refused) : null);
        }

        var applied = new AccountEntry(operation, balance, Version + 1, Refused: false, kept, at);
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

    /// <summary>The oldest entries, as many as a page takes.</summary>
    public ImmutableArray<AccountEntry> ForNextPage()
    {
        var left = PageBytes;
        return [.. Entries.TakeWhile(entry => (left -= entry.Size) >= 0)];
    }

    /// <summary>The next page has these entries, and the state does without them.</summary>
    public AccountState Without(IEnumerable<AccountEntry> paged)
    {
        var keys = paged.Select(entry => entry.Key).ToHashSet();
        return this with { Entries = Entries.RemoveAll(entry => keys.Contains(entry.Key)), NextPage = NextPage + 1 };
    }

    /// <summary>The first page counts no longer; what has to be kept of it goes to the end of the line.</summary>
    public AccountState WithoutFirstPage(IEnumerable<AccountEntry> kept) =>
        this with { Entries = Entries.AddRange(kept), FirstPage = FirstPage + 1 };

    private AccountState With(AccountEntry entry) =>
        this with { Balance = entry.Balance, Version = entry.Version, Entries = Entries.Add(entry) };
}
