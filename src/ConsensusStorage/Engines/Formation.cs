using System.Collections.Immutable;
using Orleans.Consensus.Transport;

namespace Orleans.Consensus.Engines;

/// <summary>What a forming replica has to do next.</summary>
internal abstract record FormationStep
{
    /// <summary>Nothing yet; <paramref name="Problem"/> says what is missing.</summary>
    public sealed record Wait(string Problem) : FormationStep;

    /// <summary>All logs are known: make their ids durable.</summary>
    public sealed record WritePeers(ImmutableArray<LogId> Logs) : FormationStep;

    /// <summary>All replicas had made the same ids durable: from now on this one answers.</summary>
    public sealed record WriteFormed : FormationStep;

    /// <summary>This log can't be a part of its store. It must never answer.</summary>
    public sealed record Refuse(string Problem) : FormationStep;
}

/// <summary>
/// How new logs become a store (S13): a replica answers nothing until the ids of all logs were durable in all logs.
/// A log that was emptied, or put back from an older copy without its peers, meets peers that know another id.
/// Pure: what the silos say of their replicas in, the next step out.
/// </summary>
internal static class Formation
{
    /// <param name="replicas">The store's acceptors.</param>
    /// <param name="self">The forming one.</param>
    /// <param name="log">Its log.</param>
    /// <param name="peers">The ids that are durable in it, or empty.</param>
    /// <param name="seen">What is known of all replicas, of one silo or several.</param>
    public static FormationStep Step(
        ReplicaSet replicas,
        ReplicaId self,
        LogId log,
        ImmutableArray<LogId> peers,
        IReadOnlyCollection<ReplicaDescription> seen)
    {
        var logs = new LogId?[replicas.Count];
        logs[replicas.IndexOf(self)] = log;
        var agreed = new HashSet<ReplicaId> { self };
        var isProven = false;
        ReplicaId? twice = null;
        foreach (var other in seen.Where(other => other.Replica != self && other.Log is not null))
        {
            var index = replicas.IndexOf(other.Replica);
            if (!other.Peers.IsEmpty && other.Peers[replicas.IndexOf(self)] != log)
            {
                return new FormationStep.Refuse(EmptiedLog(self, log, other, replicas));
            }

            if (peers.IsEmpty && other.State == ReplicaState.Serving)
            {
                return new FormationStep.Refuse(OlderCopy(self, log, other));
            }

            if ((logs[index] ?? other.Log) != other.Log || (!peers.IsEmpty && peers[index] != other.Log))
            {
                twice ??= other.Replica;
            }

            if (other.Peers.AsSpan().SequenceEqual(peers.AsSpan()))
            {
                agreed.Add(other.Replica);
                isProven |= other.State == ReplicaState.Serving;
            }

            logs[index] = other.Log;
        }

        // One that serves proves that all of them had stored the ids, whatever has become of them since.
        if (isProven || (agreed.Count == replicas.Count && !peers.IsEmpty && twice is null))
        {
            return new FormationStep.WriteFormed();
        }

        if (twice is not null)
        {
            return new FormationStep.Wait(TwoLogs(twice.Value));
        }

        var missing = replicas.Members.Where((_, index) => logs[index] is null).ToList();
        return missing.Count == 0 && peers.IsEmpty
            ? new FormationStep.WritePeers([.. logs.Select(known => known!.Value)])
            : Missing(missing, replicas);
    }

    private static FormationStep.Wait Missing(List<ReplicaId> missing, ReplicaSet replicas) =>
        new(missing.Count == 0
            ? "The logs are new: waiting until all replicas have stored one another's log ids."
            : $"The logs are new: the first start needs all replicas of {replicas} at once, still missing: "
              + $"{string.Join(", ", missing)}. Start the silos that host them.");

    private static string TwoLogs(ReplicaId replica) =>
        $"Replica '{replica}' was seen with two different logs. Two silos are configured with it, or its log was "
        + "emptied while the store was formed for the first time. Give every silo a replica id of its own; if the "
        + "store has never been written to, empty all its data directories and start again.";

    private static string OlderCopy(ReplicaId self, LogId log, ReplicaDescription other) =>
        $"Log {log} of replica '{self}' does not know its peers, but replica '{other.Replica}' serves, which it does "
        + "only after this log had stored them: the data directory was put back from an older copy. It would have "
        + "forgotten promises and is not let in. Put the original directory back; the other replicas go on "
        + "without it.";

    private static string EmptiedLog(ReplicaId self, LogId log, ReplicaDescription other, ReplicaSet replicas) =>
        $"Replica '{self}' has log {log}, but replica '{other.Replica}' knows its log as "
        + $"{other.Peers[replicas.IndexOf(self)]}. The data directory was emptied, replaced, or is used by a second "
        + "silo with the same replica id. It would have forgotten promises and is not let in. Put the original "
        + "directory back, or remove the second silo; the other replicas go on without it.";
}
