namespace Orleans.Consensus.Engines;

/// <summary>The replicas of one shard that this silo hosts: one that is pinned to it, or those that float by.</summary>
internal interface IReplicaHost
{
    /// <summary>The replicas hosted now, in any state.</summary>
    IReadOnlyCollection<HostedReplica> Hosted { get; }

    /// <summary>The host of a replica, or null if it is not hosted here.</summary>
    HostedReplica? Find(ReplicaId replica);

    /// <summary>Opens what has to be open before the silo goes on. Does not: wait for a quorum.</summary>
    /// <exception cref="Journaling.JournalException">A log can't be used; the message says what to do.</exception>
    Task OpenAsync(CancellationToken cancellationToken);

    /// <summary>Works until <see cref="Stop"/>, then closes the logs.</summary>
    Task RunAsync();

    /// <summary>
    /// Lets other silos take over what floats, and completes when they have, or when there is nobody to wait for.
    /// </summary>
    Task LeaveAsync(CancellationToken cancellationToken);

    /// <summary>Answers nothing more.</summary>
    void Stop();
}

/// <summary>The replica whose log this silo has, or none.</summary>
internal sealed class PinnedReplica(HostedReplica? replica) : IReplicaHost
{
    public IReadOnlyCollection<HostedReplica> Hosted { get; } = replica is null ? [] : [replica];

    public HostedReplica? Find(ReplicaId id) => replica?.Id == id ? replica : null;

    public Task OpenAsync(CancellationToken cancellationToken) =>
        replica?.OpenAsync(cancellationToken) ?? Task.CompletedTask;

    public Task RunAsync() => replica?.RunAsync() ?? Task.CompletedTask;

    public Task LeaveAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Stop() => replica?.Stop();
}
