namespace Orleans.Consensus.SampleSilo.Bank;

/// <summary>A bank account; its key is its name. Exceptions mean that storage or silo did not answer.</summary>
[Alias("bank.IAccountGrain")]
internal interface IAccountGrain : IGrainWithStringKey
{
    /// <param name="fresh">Read the register again first, so that no duplicate activation answers from memory.</param>
    [Alias("get")]
    Task<AccountView> GetAsync(bool fresh);

    [Alias("history")]
    Task<IReadOnlyList<AccountEntry>> GetHistoryAsync(int limit);

    /// <summary>Applies an operation once, however often it is called.</summary>
    [Alias("apply")]
    Task<OperationResult> ApplyAsync(Operation operation);

    /// <summary>Tells that a transfer will never repeat its operation here again.</summary>
    [Alias("settle")]
    Task<AccountView> SettleAsync(RequestScope scope, string requestId);
}

/// <summary>An account as clients see it.</summary>
/// <param name="Silo">The silo that hosts its activation.</param>
[GenerateSerializer, Immutable, Alias("bank.view")]
internal sealed record AccountView(
    [property: Id(0)] string Id,
    [property: Id(1)] decimal Balance,
    [property: Id(2)] long Version,
    [property: Id(3)] string Silo);

/// <summary>The answer to an operation.</summary>
[GenerateSerializer, Immutable, Alias("bank.result")]
internal abstract record OperationResult
{
    /// <summary>It was applied, now or by an earlier call; the account right after it.</summary>
    [GenerateSerializer, Immutable, Alias("bank.result.applied")]
    public sealed record Applied([property: Id(0)] AccountView Account) : OperationResult;

    /// <summary>Nothing moved.</summary>
    [GenerateSerializer, Immutable, Alias("bank.result.insufficient")]
    public sealed record InsufficientFunds([property: Id(0)] AccountView Account) : OperationResult;

    /// <summary>Nothing moved: the request id belongs to another operation.</summary>
    [GenerateSerializer, Immutable, Alias("bank.result.reused")]
    public sealed record RequestIdReused([property: Id(0)] Operation Earlier) : OperationResult;
}
