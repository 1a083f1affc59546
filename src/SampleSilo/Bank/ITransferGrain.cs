namespace Orleans.Consensus.SampleSilo.Bank;

/// <summary>One transfer; its key is its request id.</summary>
[Alias("bank.ITransferGrain")]
internal interface ITransferGrain : IGrainWithStringKey
{
    /// <summary>Begins the transfer, or goes on: repeating the call finishes what an error interrupted.</summary>
    [Alias("execute")]
    Task<TransferResult> ExecuteAsync(TransferOrder order);

    /// <summary>How far it is; null if nobody ever asked for it.</summary>
    [Alias("get")]
    Task<TransferView?> GetAsync();
}

/// <summary>What is to be transferred.</summary>
[GenerateSerializer, Immutable, Alias("bank.order")]
internal sealed record TransferOrder(
    [property: Id(0)] string From, [property: Id(1)] string To, [property: Id(2)] decimal Amount)
{
    /// <summary>The standing order whose payment it is; null if a client asked for it.</summary>
    [Id(3)]
    public string? StandingOrder { get; init; }
}

/// <summary>How far a transfer is.</summary>
internal enum TransferStage : byte
{
    /// <summary>Nobody asked for it.</summary>
    None = 0,

    /// <summary>It is recorded; the debit may or may not have happened.</summary>
    Intended = 1,

    /// <summary>The money has left one account; it may or may not have reached the other.</summary>
    Debited = 2,

    /// <summary>Both accounts have been changed.</summary>
    Done = 3,

    /// <summary>There was not enough money. Nothing moved, for ever.</summary>
    Rejected = 4,
}

/// <summary>A transfer's durable state.</summary>
[GenerateSerializer, Immutable, Alias("bank.transfer")]
internal sealed record TransferState
{
    [Id(0)]
    public TransferStage Stage { get; init; }

    [Id(1)]
    public TransferOrder? Order { get; init; }
}

/// <summary>A transfer as clients see it.</summary>
[GenerateSerializer, Immutable, Alias("bank.transfer.view")]
internal sealed record TransferView(
    [property: Id(0)] string RequestId,
    [property: Id(1)] TransferStage State,
    [property: Id(2)] decimal Amount,
    [property: Id(3)] AccountView From,
    [property: Id(4)] AccountView To);

/// <summary>The answer to an order.</summary>
[GenerateSerializer, Immutable, Alias("bank.transfer.result")]
internal abstract record TransferResult
{
    /// <summary>It is done, or rejected for good.</summary>
    [GenerateSerializer, Immutable, Alias("bank.transfer.result.ended")]
    public sealed record Ended([property: Id(0)] TransferView Transfer) : TransferResult;

    /// <summary>The request id belongs to another transfer.</summary>
    [GenerateSerializer, Immutable, Alias("bank.transfer.result.reused")]
    public sealed record RequestIdReused([property: Id(0)] TransferOrder Earlier) : TransferResult;
}
