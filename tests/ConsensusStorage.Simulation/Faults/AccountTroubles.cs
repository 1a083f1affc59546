using Orleans.Consensus.Simulation.Blobs;
using Orleans.Consensus.Simulation.Kernel;
using Orleans.Consensus.Simulation.Scenarios;

namespace Orleans.Consensus.Simulation.Faults;

/// <summary>
/// What goes wrong with storage accounts, or other places, that are asked for something. A request takes some time also
/// when all is well, and so does its answer, so that whatever happens can happen in between. At most a minority of the
/// accounts is out of reach for all at a time. Faults overlap, and each ends only itself.
/// </summary>
internal sealed class AccountTroubles(int accounts, SimulatedTime time, Random random)
{
    private readonly List<Trouble> _troubles = [];

    /// <summary>Accounts that are lost for good.</summary>
    public HashSet<int> Lost { get; } = [];

    /// <summary>
    /// Whether an account may be out of reach for everybody, or lost, beside those that are.
    /// </summary>
    public bool CanMiss(int account) =>
        _troubles.Where(one => one.Fault.Kind is FaultKind.AccountDown or FaultKind.NoRights)
            .Select(one => one.Account!.Value)
            .Concat(Lost)
            .Append(account)
            .Distinct()
            .Count() <= (accounts - 1) / 2;

    /// <summary>Lets a fault have its time.</summary>
    public async Task StrikeAsync(ActiveFault fault, Random details)
    {
        var account = fault.Silo % accounts;
        if (fault.Kind is FaultKind.AccountDown or FaultKind.NoRights && !CanMiss(account))
        {
            return;
        }

        var isEverywhere = fault.Kind == FaultKind.CutOff && details.Next(2) == 0;
        var end = Begin(fault, isEverywhere ? null : account, details.Next(5, 70), details.Next(3) == 0);
        await time.Pass(fault.Plan.Lasts);
        end();
    }

    /// <summary>A trouble that lasts until its end is called.</summary>
    /// <param name="account">Which one; null for all.</param>
    /// <param name="percent">Of the requests.</param>
    /// <param name="isOneWay">Only answers are cut off.</param>
    public Action Begin(ActiveFault fault, int? account, int percent, bool isOneWay)
    {
        var trouble = new Trouble(fault, account, percent, isOneWay);
        _troubles.Add(trouble);
        return () => _troubles.Remove(trouble);
    }

    /// <summary>Lets the time pass that the answer of an account takes.</summary>
    public ValueTask AnswerAsync() => new(time.Pass(Latency()));

    /// <summary>Lets the time pass that the flush of a directory takes.</summary>
    /// <returns>Whether it works.</returns>
    public async ValueTask<bool> FlushAsync(int account)
    {
        await time.Pass(Latency());
        foreach (var trouble in _troubles.Where(one => one.Account is null || one.Account == account))
        {
            if (trouble.Fault.Kind == FaultKind.LostFlushes && Hits(trouble))
            {
                trouble.Fault.Strike();
                return false;
            }
        }

        return true;
    }

    /// <summary>Lets the time pass that a request takes, and says what befalls it.</summary>
    /// <param name="silo">Who makes it; null for none that can be cut off.</param>
    public async ValueTask<BlobFault> DecideAsync(int account, int? silo, bool isChange)
    {
        var wait = Latency();
        foreach (var trouble in _troubles.Where(one => one.Account == account))
        {
            if (trouble.Fault.Kind == FaultKind.SlowAccount)
            {
                wait += TimeSpan.FromMilliseconds(random.Next(1, 4 * trouble.Percent));
                trouble.Fault.Strike();
            }
        }

        await time.Pass(wait);
        foreach (var trouble in _troubles.Where(one => one.Account is null || one.Account == account))
        {
            if (FaultOf(trouble, silo, isChange) is not BlobFault.None and var fault)
            {
                trouble.Fault.Strike();
                return fault;
            }
        }

        return BlobFault.None;
    }

    private TimeSpan Latency() => TimeSpan.FromMicroseconds(random.Next(100, 3000));

    private BlobFault FaultOf(Trouble trouble, int? silo, bool isChange) => trouble.Fault.Kind switch
    {
        FaultKind.AccountDown => BlobFault.Lost,
        FaultKind.NoRights => BlobFault.Denied,
        FaultKind.CutOff when silo != trouble.Fault.Silo => BlobFault.None,
        FaultKind.CutOff => trouble.IsOneWay ? BlobFault.Unanswered : BlobFault.Lost,
        FaultKind.Throttling when Hits(trouble) => BlobFault.Throttled,
        FaultKind.LostRequests when Hits(trouble) => BlobFault.Lost,
        FaultKind.UnansweredAppends when isChange && Hits(trouble) => BlobFault.Unanswered,
        FaultKind.LateAppends when isChange && Hits(trouble) => BlobFault.Late,
        _ => BlobFault.None,
    };

    private bool Hits(Trouble trouble) => random.Next(100) < trouble.Percent;

    private sealed record Trouble(ActiveFault Fault, int? Account, int Percent, bool IsOneWay);
}
