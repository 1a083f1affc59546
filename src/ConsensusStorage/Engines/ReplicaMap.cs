using System.Collections.Immutable;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Transport;
using Orleans.Runtime;

namespace Orleans.Consensus.Engines;

/// <summary>
/// Where the replicas of one set of logs can be used, by what the silos said last. Only replicas of one formation are
/// used: a quorum has to name the same logs (S13). Pure.
/// </summary>
/// <param name="Locations">For each replica in order; null if it can't be used.</param>
/// <param name="Formation">The logs of the first quorum that was ever seen, or empty.</param>
/// <param name="HasConflict">Two stores that call themselves the same were seen; nothing is used.</param>
/// <param name="Twice">Replicas that two silos serve from one log; they are not used.</param>
internal sealed record ReplicaMap(
    ImmutableArray<ReplicaLocation?> Locations,
    ImmutableArray<LogId> Formation,
    bool HasConflict,
    ImmutableArray<ReplicaId> Twice)
{
    /// <summary>Replicas that can be used.</summary>
    public int Located { get; } = Locations.Count(location => location is not null);

    /// <param name="formation">The formation that was known before, or empty.</param>
    public static ReplicaMap Of(
        ReplicaSet replicas, IReadOnlyDictionary<SiloAddress, KnownSilo> silos, ImmutableArray<LogId> formation)
    {
        var serving = silos
            .SelectMany(silo => silo.Value.Replicas, (silo, replica) => (Silo: silo.Key, Replica: replica))
            .Where(seen => seen.Replica is { State: ReplicaState.Serving, Log: not null, Peers.IsEmpty: false })
            .ToList();
        var formations = serving
            .GroupBy(seen => string.Join(',', seen.Replica.Peers))
            .Where(same => same.DistinctBy(seen => seen.Replica.Replica).Count() >= Votes.QuorumOf(replicas.Count))
            .ToList();
        if (formations.Count > 0 && formation.IsEmpty)
        {
            formation = formations[0].First().Replica.Peers;
        }

        var conflict = formations.Count > 1
            || (formations.Count == 1 && !formations[0].First().Replica.Peers.SequenceEqual(formation));

        // Where logs can be taken over, a host that does not know yet that its log was counts for nothing.
        serving = [.. serving
            .GroupBy(seen => (seen.Replica.Replica, seen.Replica.Log))
            .SelectMany(hosts => hosts
                .OrderByDescending(host => host.Replica.Epoch)
                .Take(hosts.All(host => host.Replica.Epoch > 0) ? 1 : int.MaxValue))];
        var twice = serving
            .GroupBy(seen => (seen.Replica.Replica, seen.Replica.Log))
            .Where(same => same.Count() > 1)
            .Select(same => same.Key.Replica)
            .ToImmutableArray();
        var locations = new ReplicaLocation?[replicas.Count];
        foreach (var (silo, replica) in conflict ? [] : serving.Where(seen => !twice.Contains(seen.Replica.Replica)))
        {
            var index = replicas.IndexOf(replica.Replica);
            if (replica.Peers.SequenceEqual(formation) && replica.Log == formation[index])
            {
                locations[index] = new(silo, replica.Log!.Value);
            }
        }

        return new([.. locations], formation, conflict, twice);
    }
}
