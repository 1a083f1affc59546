using Orleans.Consensus.Simulation.Blobs;
using Orleans.Consensus.Simulation.Clusters;
using Orleans.Consensus.Simulation.Scenarios;

namespace Orleans.Consensus.Simulation.Faults;

/// <summary>
/// Everything that goes wrong with storage accounts. A request takes some time also when all is well, and so does its
/// answer, so that whatever happens can happen in between. At most a minority of the accounts is out of reach for all
/// at a time. Faults overlap, and each ends only itself.
/// </summary>
internal sealed class BlobFaults
{
    private static readonly TimeSpan TimeOut = TimeSpan.FromMilliseconds(400);
    private static readonly TimeSpan LateBy = TimeSpan.FromSeconds(3);

    private readonly SimulatedCluster _cluster;
    private readonly BlobAccounts _accounts;
    private readonly Random _random;
    private readonly List<Trouble> _troubles = [];

    /// <summary>Hooks itself into the accounts.</summary>
    public BlobFaults(SimulatedCluster cluster, BlobAccounts accounts, Random random)
    {
        (_cluster, _accounts, _random) = (cluster, accounts, random);
        for (var replica = 0; replica < accounts.All.Length; replica++)
        {
            var number = replica;
            var account = accounts.All[replica];
            (account.TimeOut, account.LateBy) = (TimeOut, LateBy);
            account.Plan = request => DecideAsync(number, request);
            account.Answering = _ => new(cluster.Scheduler.Time.Pass(Latency()));
        }
    }

    /// <summary>Replicas whose accounts are lost for good.</summary>
    public HashSet<int> Lost { get; } = [];

    /// <summary>Told of replicas whose accounts are emptied.</summary>
    public Action<int> Emptied { get; init; } = static _ => { };

    public async Task StrikeAsync(ActiveFault fault, Random details)
    {
        var replica = fault.Silo % _accounts.All.Length;
        if (fault.Kind is FaultKind.AccountDown or FaultKind.NoRights or FaultKind.LostAccount && !CanMiss(replica))
        {
            return;
        }

        if (fault.Kind == FaultKind.LostAccount)
        {
            Lost.Add(replica);
            _accounts.All[replica].DeleteContainer();
            Emptied(replica);
            fault.Strike();
            return;
        }

        var isEverywhere = fault.Kind == FaultKind.CutOff && details.Next(2) == 0;
        var trouble = new Trouble(fault, isEverywhere ? null : replica, details.Next(5, 70), details.Next(3) == 0);
        _troubles.Add(trouble);
        await _cluster.PassAsync(fault.Plan.Lasts.TotalMilliseconds);
        _troubles.Remove(trouble);
    }

    /// <summary>Whether an account may be out of reach for everybody, beside those that are.</summary>
    private bool CanMiss(int replica) =>
        _troubles.Where(one => one.Fault.Kind is FaultKind.AccountDown or FaultKind.NoRights)
            .Select(one => one.Replica!.Value)
            .Concat(Lost)
            .Append(replica)
            .Distinct()
            .Count() <= (_accounts.All.Length - 1) / 2;

    private TimeSpan Latency() => TimeSpan.FromMicroseconds(_random.Next(100, 3000));

    private async ValueTask<BlobFault> DecideAsync(int replica, BlobRequest request)
    {
        var wait = Latency();
        foreach (var trouble in _troubles.Where(one => one.Replica == replica))
        {
            if (trouble.Fault.Kind == FaultKind.SlowAccount)
            {
                wait += TimeSpan.FromMilliseconds(_random.Next(1, 4 * trouble.Percent));
                trouble.Fault.Strike();
            }
        }

        await _cluster.Scheduler.Time.Pass(wait);
        foreach (var trouble in _troubles.Where(one => one.Replica is null || one.Replica == replica))
        {
            if (FaultOf(trouble, request) is not BlobFault.None and var fault)
            {
                trouble.Fault.Strike();
                return fault;
            }
        }

        return BlobFault.None;
    }

    private BlobFault FaultOf(Trouble trouble, BlobRequest request) => trouble.Fault.Kind switch
    {
        FaultKind.AccountDown => BlobFault.Lost,
        FaultKind.NoRights => BlobFault.Denied,
        FaultKind.CutOff when request.Client != BlobAccounts.ClientOf(trouble.Fault.Silo) => BlobFault.None,
        FaultKind.CutOff => trouble.IsOneWay ? BlobFault.Unanswered : BlobFault.Lost,
        FaultKind.Throttling when Hits(trouble) => BlobFault.Throttled,
        FaultKind.LostRequests when Hits(trouble) => BlobFault.Lost,
        FaultKind.UnansweredAppends when request.IsChange && Hits(trouble) => BlobFault.Unanswered,
        FaultKind.LateAppends when request.IsChange && Hits(trouble) => BlobFault.Late,
        _ => BlobFault.None,
    };

    private bool Hits(Trouble trouble) => _random.Next(100) < trouble.Percent;

    /// <param name="Replica">Whose account; null for all.</param>
    /// <param name="Percent">Of the requests.</param>
    /// <param name="IsOneWay">Only answers are cut off.</param>
    private sealed record Trouble(ActiveFault Fault, int? Replica, int Percent, bool IsOneWay);
}
