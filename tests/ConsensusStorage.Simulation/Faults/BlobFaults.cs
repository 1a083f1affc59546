using Orleans.Consensus.Simulation.Blobs;
using Orleans.Consensus.Simulation.Clusters;
using Orleans.Consensus.Simulation.Scenarios;

namespace Orleans.Consensus.Simulation.Faults;

/// <summary>Everything that goes wrong with the storage accounts of replicas that float.</summary>
internal sealed class BlobFaults
{
    private static readonly TimeSpan TimeOut = TimeSpan.FromMilliseconds(400);
    private static readonly TimeSpan LateBy = TimeSpan.FromSeconds(3);

    private readonly BlobAccounts _accounts;
    private readonly AccountTroubles _troubles;

    /// <summary>Hooks itself into the accounts.</summary>
    public BlobFaults(SimulatedCluster cluster, BlobAccounts accounts, Random random)
    {
        (_accounts, _troubles) = (accounts, new(accounts.All.Length, cluster.Scheduler.Time, random));
        for (var replica = 0; replica < accounts.All.Length; replica++)
        {
            var number = replica;
            var account = accounts.All[replica];
            (account.TimeOut, account.LateBy) = (TimeOut, LateBy);
            account.Plan = request =>
                _troubles.DecideAsync(number, BlobAccounts.SiloOf(request.Client), request.IsChange);
            account.Answering = _ => _troubles.AnswerAsync();
        }
    }

    /// <summary>Replicas whose accounts are lost for good.</summary>
    public IReadOnlySet<int> Lost => _troubles.Lost;

    /// <summary>Told of replicas whose accounts are emptied.</summary>
    public Action<int> Emptied { get; init; } = static _ => { };

    public async Task StrikeAsync(ActiveFault fault, Random details)
    {
        if (fault.Kind != FaultKind.LostAccount)
        {
            await _troubles.StrikeAsync(fault, details);
            return;
        }

        var replica = fault.Silo % _accounts.All.Length;
        if (_troubles.CanMiss(replica))
        {
            _troubles.Lost.Add(replica);
            _accounts.All[replica].DeleteContainer();
            Emptied(replica);
            fault.Strike();
        }
    }
}
