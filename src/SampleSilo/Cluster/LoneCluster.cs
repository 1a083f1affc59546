using Microsoft.Extensions.Diagnostics.HealthChecks;
using Orleans.Consensus.SampleSilo.Bank;
using Orleans.Runtime;

namespace Orleans.Consensus.SampleSilo.Cluster;

/// <summary>The cluster as one of its silos sees it, each in a process of its own. Thread-safe.</summary>
/// <param name="end">Ends this process without running any more of its code.</param>
internal sealed class LoneCluster(BankSiloSettings settings, Action end) : IOwnCluster
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan AnswerFirst = TimeSpan.FromMilliseconds(100);

    private readonly BankSilo _silo = new(settings);

    public bool RequestsWait => false;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        SiloPorts.Check(settings);
        return _silo.JoinAsync(cancellationToken);
    }

    public BankGateway? FindGateway() => _silo.Gateway;

    public HealthCheckService? FindHealth() => _silo.Services?.GetRequiredService<HealthCheckService>();

    public async Task<ClusterView> DescribeAsync(CancellationToken cancellationToken)
    {
        if (_silo.Services is not { } services)
        {
            return new([_silo.View], []) { Own = [settings.Name] };
        }

        var members = services.GetRequiredService<IClusterMembershipService>().CurrentSnapshot.Members.Values;
        List<SiloView> silos =
        [
            .. members
                .GroupBy(member => member.Name)
                .Select(lives => lives.MaxBy(member => member.SiloAddress.Generation)!)
                .OrderBy(member => member.Name, StringComparer.Ordinal)
                .Select(ViewOf),
        ];
        var store = services.GetKeyedService<IConsensusStore>("Default");
        var groups = await GroupView.ReadAsync(store, silos, cancellationToken);
        return new([.. silos.Select(silo => WithReplica(silo, groups))], groups) { Own = [settings.Name] };
    }

    public Task<SiloChange> KillAsync(string name)
    {
        if (name != settings.Name)
        {
            return Task.FromResult<SiloChange>(new SiloChange.Refused(
                $"Silo '{name}' is a process of its own, if there is one: kill that, or ask it at its own port."));
        }

        // Time for the answer, and then none for anything else.
        _ = Task.Delay(AnswerFirst).ContinueWith(_ => end(), TaskScheduler.Default);
        return Task.FromResult<SiloChange>(new SiloChange.Changed(_silo.View with { Status = "dying" }));
    }

    public Task<SiloChange> StartAsync(string name, CancellationToken cancellationToken) =>
        Task.FromResult<SiloChange>(new SiloChange.Refused(
            $"Silo '{name}' is a process of its own: start that, with the command 'silo --name {name}'."));

    public async Task<bool> StopAsync()
    {
        using var timeout = new CancellationTokenSource(StopTimeout);
        return await _silo.LeaveAsync(timeout.Token);
    }

    /// <summary>What replica another silo has, its replica tells; where they float, no silo has one.</summary>
    private SiloView WithReplica(SiloView silo, IReadOnlyList<GroupView> groups)
    {
        var hosted = groups.SelectMany(group => group.Replicas).FirstOrDefault(replica => replica.Host == silo.Name);
        return settings.Accounts.Count > 0 ? silo : silo with { Replica = silo.Replica ?? hosted?.Replica };
    }

    private SiloView ViewOf(ClusterMember member)
    {
        var status = member.Status switch
        {
            SiloStatus.Active => "alive",
            SiloStatus.Created or SiloStatus.Joining => "starting",
            SiloStatus.ShuttingDown or SiloStatus.Stopping => "dying",
            _ => "dead",
        };
        var address = member.SiloAddress.Endpoint.ToString();
        return new(member.Name, status, address, member.Name == settings.Name ? settings.Replica : null);
    }
}
