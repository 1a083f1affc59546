using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orleans.Consensus.Paxos;

namespace Orleans.Consensus.Engines;

/// <summary>
/// Tells operators of replicas and quorums that this silo has lost, or has back: a line for each, and none again while
/// it stays so. Not thread-safe.
/// </summary>
internal sealed partial class StandingLog(string store, int shards, TimeProvider time, ILogger logger)
{
    /// <summary>What does not last that long is not told.</summary>
    public static readonly TimeSpan Settle = TimeSpan.FromSeconds(2);

    /// <summary>A start gets longer before what is missing is told.</summary>
    public static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(10);

    /// <summary>More groups are counted and not named.</summary>
    private const int MaxNamed = 8;

    private readonly Dictionary<(int Shard, string Subject), Trend> _trends = [];

    /// <summary>Whether something has changed that was not told yet: look again soon.</summary>
    public bool IsUnsettled { get; private set; }

    /// <summary>Takes what is known now, for each set of logs, and tells what has changed for long enough.</summary>
    public void Look(IReadOnlyList<ImmutableArray<ReplicaStanding>> standings)
    {
        IsUnsettled = false;
        var replicas = new List<(int Shard, ReplicaStanding Replica)>();
        var quorums = new List<(int Shard, ImmutableArray<ReplicaStanding> Replicas)>();
        for (var shard = 0; shard < standings.Count; shard++)
        {
            foreach (var replica in standings[shard])
            {
                if (HasTurned(shard, replica.Replica.Name, replica.IsUsable))
                {
                    replicas.Add((shard, replica));
                }
            }

            var usable = standings[shard].Count(replica => replica.IsUsable);
            if (HasTurned(shard, "", usable >= Votes.QuorumOf(standings[shard].Length)))
            {
                quorums.Add((shard, standings[shard]));
            }
        }

        foreach (var same in replicas.GroupBy(one => (one.Replica.Replica, one.Replica.IsUsable)))
        {
            TellReplica(same.First().Replica, GroupsOf(same.Select(one => one.Shard)));
        }

        foreach (var same in quorums.GroupBy(one => HasQuorum(one.Replicas)))
        {
            TellQuorum(same.First().Replicas, GroupsOf(same.Select(one => one.Shard)));
        }
    }

    private static bool HasQuorum(ImmutableArray<ReplicaStanding> replicas) =>
        replicas.Count(replica => replica.IsUsable) >= Votes.QuorumOf(replicas.Length);

    /// <summary>Whether it is time to tell that something is now as it is.</summary>
    private bool HasTurned(int shard, string subject, bool isGood)
    {
        ref var trend = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(
            _trends, (shard, subject), out _);
        if (trend.Told == isGood)
        {
            trend.Since = null;
            return false;
        }

        // The first good news are what everybody expects.
        if (trend.Told is null && isGood && subject.Length > 0)
        {
            trend = new(true, null);
            return false;
        }

        var now = time.GetTimestamp();
        trend.Since ??= now;
        var patience = trend.Told is not null ? Settle : isGood ? TimeSpan.Zero : StartPatience;
        if (time.GetElapsedTime(trend.Since.Value, now) < patience)
        {
            IsUnsettled = true;
            return false;
        }

        trend = new(isGood, null);
        return true;
    }

    private void TellReplica(ReplicaStanding replica, string groups)
    {
        if (replica.IsUsable)
        {
            LogReplicaBack(logger, replica.Replica, store, groups, replica.Host?.ToParsableString());
        }
        else
        {
            LogReplicaLost(logger, replica.Replica, store, groups, replica.Words);
        }
    }

    private void TellQuorum(ImmutableArray<ReplicaStanding> replicas, string groups)
    {
        var usable = replicas.Count(replica => replica.IsUsable);
        if (HasQuorum(replicas))
        {
            LogQuorum(logger, store, groups, usable, replicas.Length);
        }
        else
        {
            var missing = string.Join(
                " ", replicas.Where(one => !one.IsUsable).Select(one => $"Replica '{one.Replica}': {one.Words}"));
            LogQuorumLost(
                logger, store, groups, usable, replicas.Length, Votes.QuorumOf(replicas.Length), missing);
        }
    }

    /// <summary>Words for the groups that are meant; none if all groups share one set of logs.</summary>
    private string GroupsOf(IEnumerable<int> which)
    {
        if (shards == 1)
        {
            return "";
        }

        var all = which.Distinct().Order().ToList();
        var named = string.Join(", ", all.Take(MaxNamed));
        return all.Count > MaxNamed ? $" (groups {named} and {all.Count - MaxNamed} more)"
            : all.Count > 1 ? $" (groups {named})"
            : $" (group {named})";
    }

    /// <param name="Told">What was told last; null if nothing was yet.</param>
    /// <param name="Since">Since when it is different, as a timestamp.</param>
    private record struct Trend(bool? Told, long? Since);

    [LoggerMessage(120, LogLevel.Warning,
        "Replica {Replica} of consensus store {Store}{Groups} can't be used from this silo: {Why}")]
    private static partial void LogReplicaLost(
        ILogger logger, ReplicaId replica, string store, string groups, string why);

    [LoggerMessage(121, LogLevel.Information,
        "Replica {Replica} of consensus store {Store}{Groups} can be used from this silo again; it is on {Host}.")]
    private static partial void LogReplicaBack(
        ILogger logger, ReplicaId replica, string store, string groups, string? host);

    [LoggerMessage(122, LogLevel.Warning,
        "Consensus store {Store}{Groups} has no quorum: {Usable} of {Replicas} replicas serve, {Needed} are needed. "
        + "Reads and writes fail until more are back. {Missing}")]
    private static partial void LogQuorumLost(
        ILogger logger, string store, string groups, int usable, int replicas, int needed, string missing);

    [LoggerMessage(123, LogLevel.Information,
        "Consensus store {Store}{Groups} has a quorum: {Usable} of {Replicas} replicas serve.")]
    private static partial void LogQuorum(ILogger logger, string store, string groups, int usable, int replicas);
}
