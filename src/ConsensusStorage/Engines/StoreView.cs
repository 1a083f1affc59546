using System.Collections.Immutable;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Transport;

namespace Orleans.Consensus.Engines;

/// <summary>One look at a store: the base of its status and of its health.</summary>
/// <param name="Replicas">Number of replicas of each group.</param>
/// <param name="Shards">For each set of logs what its replicas, in order, are able to do.</param>
/// <param name="Pinned">What the replica that is pinned to this silo says of itself, or null if none is.</param>
internal sealed record StoreView(
    int Replicas, ImmutableArray<ImmutableArray<ReplicaStanding>> Shards, ReplicaDescription? Pinned)
{
    /// <summary>Replicas without which nothing is read or written.</summary>
    public int Quorum => Votes.QuorumOf(Replicas);

    /// <summary>Replicas that can be used, of the group for which these are the fewest.</summary>
    public int Usable => Shards.Min(shard => shard.Count(replica => replica.IsUsable));

    /// <summary>What is wrong with replicas, by their names, each once: of the first group where it is.</summary>
    public IReadOnlyList<(ReplicaId Replica, string Words)> Missing =>
    [
        .. Shards.SelectMany(shard => shard)
            .Where(replica => !replica.IsUsable)
            .DistinctBy(replica => replica.Replica)
            .Select(replica => (replica.Replica, replica.Words)),
    ];

    /// <summary>What is wrong beside replicas that can be used.</summary>
    public IReadOnlyList<(ReplicaId Replica, string Words)> Notices =>
    [
        .. Shards.SelectMany(shard => shard)
            .Where(replica => replica.Notice is not null)
            .DistinctBy(replica => replica.Replica)
            .Select(replica => (replica.Replica, replica.Notice!)),
    ];

    /// <summary>
    /// Why the replica that is pinned to this silo does not serve, or null if it does or there is none. Another silo
    /// may serve a replica of that name all the same.
    /// </summary>
    public string? OwnProblem => Pinned is { State: not ReplicaState.Serving } own
        ? own.Problem is null ? $"{own.State}." : $"{own.State}. {own.Problem}"
        : null;

    /// <summary>The same for applications, for each of <paramref name="groups"/> groups.</summary>
    public IReadOnlyList<ConsensusReplicaStatus> StatusOf(int groups) =>
    [
        .. from @group in Enumerable.Range(0, groups)
           from replica in Shards[@group % Shards.Length]
           select new ConsensusReplicaStatus
           {
               Group = @group,
               Replica = replica.Replica.Name,
               Host = replica.Host?.ToParsableString(),
               State = replica.State,
               LastBallot = replica.Described is { Groups: { IsEmpty: false } ballots } ? $"{ballots[@group]}" : null,
               LogBytes = replica.Described?.LogBytes ?? 0,
               Problem = replica.Problem,
               Notice = replica.Notice,
           },
    ];
}
