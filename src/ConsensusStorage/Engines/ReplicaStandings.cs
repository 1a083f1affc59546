using System.Collections.Immutable;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Transport;
using Orleans.Runtime;

namespace Orleans.Consensus.Engines;

/// <summary>
/// Judges what each replica of one set of logs is able to do, by what the silos said last. Pure; the only place where
/// that is decided for operators.
/// </summary>
/// <param name="Formation">The logs of the store, or empty if no quorum of them was seen yet.</param>
/// <param name="Problem">Why replicas that serve are not used, or null.</param>
/// <param name="Twice">The replicas that the problem is about; empty if it is about all.</param>
/// <param name="OtherShape">Why silos that answer are not spoken to, or null.</param>
internal sealed record ReplicaStandings(
    ReplicaSet Replicas,
    ImmutableArray<LogId> Formation,
    string? Problem,
    ImmutableArray<ReplicaId> Twice,
    string? OtherShape)
{
    /// <summary>Silos that a message names; in a large cluster all have the same trouble.</summary>
    private const int MostNamed = 3;

    /// <summary>Whether silos share the replicas out; else each stays with the silo that names it.</summary>
    public bool Floats { get; init; }

    /// <summary>The replicas in order.</summary>
    public ImmutableArray<ReplicaStanding> Of(IReadOnlyDictionary<SiloAddress, KnownSilo> silos) =>
        [.. Replicas.Members.Select((replica, index) => Of(replica, index, silos))];

    private ReplicaStanding Of(
        ReplicaId replica, int index, IReadOnlyDictionary<SiloAddress, KnownSilo> silos)
    {
        var hosts = silos
            .SelectMany(
                silo => silo.Value.Told.Where(told => told.Replica == replica),
                (silo, told) => (Silo: silo.Key, Known: silo.Value, Told: told))
            .OrderBy(host => host.Known.Silent)
            .ThenByDescending(host => host.Told.State == ReplicaState.Serving && !IsForeign(host.Told, index))
            .ThenByDescending(host => host.Told.Epoch)
            .ThenBy(host => host.Told.State == ReplicaState.Refused)
            .ToList();
        if (hosts.Count == 0)
        {
            var why = OtherShape ?? WhyUnhosted(replica, silos);
            return new(replica, ConsensusReplicaState.Unreachable, null, null, why, null);
        }

        var (silo, known, told) = hosts[0];
        if (known.Silent)
        {
            var why = known.WhySilent is { } reason ? $": {reason}" : ".";
            return new(
                replica,
                ConsensusReplicaState.Unreachable,
                null,
                null,
                $"Silo {silo.ToParsableString()}, which hosted it last, does not answer{why}",
                null);
        }

        var problem = told.State == ReplicaState.Serving ? BlockOf(told, index) : told.Problem;
        var state = told.State == ReplicaState.Serving && problem is not null
            ? ConsensusReplicaState.Blocked
            : StateOf(told.State);
        var other = hosts.Skip(1).FirstOrDefault(host => !host.Known.Silent
            && host.Told is { State: ReplicaState.Refused, Problem: not null });
        var notice = other.Told is null
            ? null
            : $"Silo {other.Silo.ToParsableString()} has a replica '{replica}', too, which is refused: "
              + other.Told.Problem;
        return new(replica, state, silo, told, problem, notice);
    }

    private string WhyUnhosted(ReplicaId replica, IReadOnlyDictionary<SiloAddress, KnownSilo> silos)
    {
        var empty = silos.Where(silo => silo.Value.HostsNothing).Select(silo => silo.Key.ToParsableString()).ToList();
        if (WhySilent(silos) is { } silence)
        {
            return silence;
        }

        if (Floats || empty.Count == 0)
        {
            return "No live silo hosts it.";
        }

        var theirs = $"{string.Join(", ", empty.Order(StringComparer.Ordinal))} (no ReplicaId)";
        return silos.Values.All(silo => silo.Told.IsEmpty)
            ? $"No live silo hosts any replica of this store: {theirs}. Set option ReplicaId on each silo that has a "
              + $"disk, to one of {string.Join(", ", Replicas.Members)}."
            : $"No live silo hosts it. Start the silo whose ReplicaId it is. If there is none, set option ReplicaId to "
              + $"'{replica}' on one that hosts no replica: {theirs}.";
    }

    /// <summary>Which silos did not say what they host, and why: they may host a replica that is missing.</summary>
    private static string? WhySilent(IReadOnlyDictionary<SiloAddress, KnownSilo> silos)
    {
        var silent = silos
            .Where(silo => silo.Value is { Silent: true, WhySilent: not null })
            .Select(silo => (Silo: silo.Key.ToParsableString(), Why: silo.Value.WhySilent!.TrimEnd('.')))
            .OrderBy(silo => silo.Silo, StringComparer.Ordinal)
            .ToList();
        var named = silent.Take(MostNamed).Select(silo => $" Silo {silo.Silo} did not say what it hosts: {silo.Why}.");
        var others = silent.Count > MostNamed ? $" Nor did {silent.Count - MostNamed} others." : "";
        return silent.Count == 0
            ? null
            : $"No silo that answers hosts it.{string.Concat(named)}{others}";
    }

    /// <summary>Why a replica that answers can't be used, or null.</summary>
    private string? BlockOf(ReplicaDescription told, int index)
    {
        if (Problem is not null && (Twice.IsEmpty || Twice.Contains(told.Replica)))
        {
            return Problem;
        }

        return IsForeign(told, index)
            ? $"Its log {told.Log} is not the one that this silo knows it by, {Formation[index]}: replicas of two "
              + "stores are mixed up. Give every silo the data directory that it had."
            : told.Problem;
    }

    private bool IsForeign(ReplicaDescription told, int index) =>
        !Formation.IsEmpty && told.State == ReplicaState.Serving && told.Log != Formation[index];

    private static ConsensusReplicaState StateOf(ReplicaState state) => state switch
    {
        ReplicaState.Opening => ConsensusReplicaState.Opening,
        ReplicaState.Forming => ConsensusReplicaState.Forming,
        ReplicaState.Serving => ConsensusReplicaState.Serving,
        ReplicaState.Recovering => ConsensusReplicaState.Recovering,
        ReplicaState.Refused => ConsensusReplicaState.Refused,
        ReplicaState.Stopped => ConsensusReplicaState.Stopped,
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
