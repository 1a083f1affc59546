namespace Orleans.Consensus.SampleSilo.Bank;

/// <summary>A transfer that repeats; its key is its request id.</summary>
[Alias("bank.IStandingOrderGrain")]
internal interface IStandingOrderGrain : IGrainWithStringKey
{
    /// <summary>Begins the order; the first payment is due at once. Repeating the call changes nothing.</summary>
    [Alias("place")]
    Task<StandingOrderResult> PlaceAsync(StandingOrderTerms terms);

    /// <summary>How it stands; null if nobody ever placed it.</summary>
    [Alias("get")]
    Task<StandingOrderView?> GetAsync();

    /// <summary>Ends it, after a payment that was under way; null if nobody ever placed it.</summary>
    [Alias("cancel")]
    Task<StandingOrderView?> CancelAsync();
}

/// <summary>What a client wants repeated.</summary>
/// <param name="Payment">Each payment.</param>
/// <param name="Period">From one due date to the next.</param>
/// <param name="Times">Number of payments, or null for no end.</param>
[GenerateSerializer, Immutable, Alias("bank.standing.terms")]
internal sealed record StandingOrderTerms(
    [property: Id(0)] TransferOrder Payment, [property: Id(1)] TimeSpan Period, [property: Id(2)] int? Times);

/// <summary>A standing order as clients see it.</summary>
[GenerateSerializer, Immutable, Alias("bank.standing.view")]
internal sealed record StandingOrderView(
    [property: Id(0)] string RequestId,
    [property: Id(1)] StandingOrderTerms Terms,
    [property: Id(2)] StandingOrderState State);

/// <summary>The answer to a standing order.</summary>
[GenerateSerializer, Immutable, Alias("bank.standing.result")]
internal abstract record StandingOrderResult
{
    /// <summary>It was placed, now or by an earlier call.</summary>
    [GenerateSerializer, Immutable, Alias("bank.standing.result.placed")]
    public sealed record Placed([property: Id(0)] StandingOrderView Order) : StandingOrderResult;

    /// <summary>The request id belongs to another standing order.</summary>
    [GenerateSerializer, Immutable, Alias("bank.standing.result.reused")]
    public sealed record RequestIdReused([property: Id(0)] StandingOrderTerms Earlier) : StandingOrderResult;
}
