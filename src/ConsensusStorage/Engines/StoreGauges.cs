using System.Diagnostics.Metrics;
using Orleans.Consensus.Diagnostics;
using Orleans.Consensus.Paxos;

namespace Orleans.Consensus.Engines;

/// <summary>
/// What is measured of a store at a moment: of the replicas that this silo hosts, and of those that it can use. Lag
/// and serving replicas are those of the last look, which is ten seconds old at most. Thread-safe.
/// </summary>
internal sealed class StoreGauges(string store, Shard[] shards) : IStoreGauges
{
    public IEnumerable<Measurement<long>> States =>
        from shard in shards
        from replica in shard.Hosted
        select new Measurement<long>(replica.States, TagsOf(shard, replica.Id));

    public IEnumerable<Measurement<long>> LogBytes =>
        from shard in shards
        from replica in shard.Hosted
        select new Measurement<long>(replica.Describe().LogBytes, TagsOf(shard, replica.Id));

    public IEnumerable<Measurement<double>> Lag =>
        from shard in shards
        let standings = shard.Directory.Standings
        from standing in standings
        where shard.Directory.Local.Equals(standing.Host)
        select new Measurement<double>(LagOf(standing, standings).TotalSeconds, TagsOf(shard, standing.Replica));

    public IEnumerable<Measurement<int>> Serving =>
    [
        new(
            shards.Min(shard => shard.Directory.Standings.Count(replica => replica.IsUsable)),
            new KeyValuePair<string, object?>("store", store)),
    ];

    /// <summary>
    /// How much older the newest ballot that a replica has promised or accepted is than the newest that any replica of
    /// the same group has, of the group where that is most. Ballots carry the time of the silo that made them. Zero for
    /// a replica that takes part in every round. Does not: say how many states are behind, nor that none is.
    /// </summary>
    public static TimeSpan LagOf(ReplicaStanding replica, IReadOnlyList<ReplicaStanding> all)
    {
        var own = replica.Described?.Groups ?? [];
        var lag = TimeSpan.Zero;
        for (var group = 0; group < own.Length; group++)
        {
            var newest = all.Max(other => other.Described is { Groups: var ballots } && group < ballots.Length
                ? ballots[group]
                : Ballot.None);
            var behind = Ballot.TimeBetween(own[group], newest);
            lag = behind > lag && !own[group].IsNone ? behind : lag;
        }

        return lag;
    }

    private static KeyValuePair<string, object?>[] TagsOf(Shard shard, ReplicaId replica) =>
        [new("store", shard.Name), new("replica", replica.Name)];
}
