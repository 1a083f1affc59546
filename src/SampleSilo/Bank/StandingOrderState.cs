namespace Orleans.Consensus.SampleSilo.Bank;

/// <summary>How far a standing order is.</summary>
internal enum StandingOrderStage : byte
{
    /// <summary>Nobody placed it.</summary>
    None = 0,

    Active = 1,

    /// <summary>All of its payments have been made.</summary>
    Ended = 2,

    Cancelled = 3,
}

/// <summary>A payment of a standing order.</summary>
/// <param name="Number">From 1. It names the payment's transfer.</param>
/// <param name="Due">When it was due; it may have been made later.</param>
/// <param name="Stage">What its transfer is known to have come to.</param>
[GenerateSerializer, Immutable, Alias("bank.standing.payment")]
internal sealed record Payment(
    [property: Id(0)] int Number, [property: Id(1)] DateTimeOffset Due, [property: Id(2)] TransferStage Stage);

/// <summary>
/// The rules of a standing order, pure, and its durable state. A payment is recorded with its number before its
/// transfer begins, and its end afterwards, so that whoever goes on goes on with the same transfer. Immutable.
/// </summary>
[GenerateSerializer, Immutable, Alias("bank.standing")]
internal sealed record StandingOrderState
{
    [Id(0)]
    public StandingOrderStage Stage { get; init; }

    [Id(1)]
    public StandingOrderTerms? Terms { get; init; }

    /// <summary>When the next payment is due.</summary>
    [Id(2)]
    public DateTimeOffset Next { get; init; }

    /// <summary>The last payment that was begun, or null.</summary>
    [Id(3)]
    public Payment? Last { get; init; }

    /// <summary>Number of payments that moved money.</summary>
    [Id(4)]
    public int Done { get; init; }

    /// <summary>Number of payments that did not.</summary>
    [Id(5)]
    public int Rejected { get; init; }

    /// <summary>Number of due dates that passed without a payment, while the bank was down.</summary>
    [Id(6)]
    public long Skipped { get; init; }

    /// <summary>The payment that was begun and whose end is not recorded yet, or null.</summary>
    public Payment? Pending => Last is { Stage: TransferStage.None } payment ? payment : null;

    public bool IsActive => Stage == StandingOrderStage.Active;

    public static StandingOrderState Placed(StandingOrderTerms terms, DateTimeOffset now) =>
        new() { Stage = StandingOrderStage.Active, Terms = terms, Next = now };

    /// <summary>
    /// Begins the payment that is due. Of several due dates that have passed, the last is paid for and the others are
    /// skipped: a bank that comes back after a day must not empty an account at a stroke. Null if none is due, or one
    /// is pending.
    /// </summary>
    public StandingOrderState? Begin(DateTimeOffset now)
    {
        if (!IsActive || Pending is not null || now < Next)
        {
            return null;
        }

        var missed = (now - Next).Ticks / Terms!.Period.Ticks;
        return this with
        {
            Last = new((Last?.Number ?? 0) + 1, Next + (missed * Terms.Period), TransferStage.None),
            Next = Next + ((missed + 1) * Terms.Period),
            Skipped = Skipped + missed,
        };
    }

    /// <summary>The pending payment has come to its end. Want of money does not end the order.</summary>
    public StandingOrderState Complete(bool done)
    {
        var payment = Pending! with { Stage = done ? TransferStage.Done : TransferStage.Rejected };
        return this with
        {
            Stage = payment.Number == Terms!.Times ? StandingOrderStage.Ended : Stage,
            Last = payment,
            Done = Done + (done ? 1 : 0),
            Rejected = Rejected + (done ? 0 : 1),
        };
    }

    public StandingOrderState Cancel() => this with { Stage = StandingOrderStage.Cancelled };
}
