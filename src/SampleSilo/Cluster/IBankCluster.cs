using Microsoft.Extensions.Diagnostics.HealthChecks;
using Orleans.Runtime;

namespace Orleans.Consensus.SampleSilo.Cluster;

/// <summary>
/// The silos as the HTTP API needs them: a way to the grains, what an operator sees, and the demo's buttons.
/// Thread-safe.
/// </summary>
internal interface IBankCluster
{
    /// <summary>
    /// The client of a silo of this process that is alive, or null. Such a client has no connection of its own to
    /// lose, and the process knows at once which of its silos are dead, so no request is sent to one.
    /// </summary>
    BankGateway? FindGateway();

    /// <summary>
    /// Whether a request waits for a silo of this process to come alive. Where others are processes of their own, it
    /// is answered at once: who asked can ask one of them.
    /// </summary>
    bool RequestsWait { get; }

    /// <summary>The health checks of a silo of this process that is alive, or null.</summary>
    HealthCheckService? FindHealth();

    Task<ClusterView> DescribeAsync(CancellationToken cancellationToken);

    /// <summary>Ends a silo as a crash would.</summary>
    Task<SiloChange> KillAsync(string name);

    Task<SiloChange> StartAsync(string name, CancellationToken cancellationToken);
}

/// <summary>The silos of this process from their first start to their last stop.</summary>
internal interface IOwnCluster : IBankCluster
{
    /// <exception cref="StartException">One of them did not start; the message says why.</exception>
    Task StartAsync(CancellationToken cancellationToken);

    /// <summary>Stops them for good. What does not stop cleanly is told on the error stream.</summary>
    /// <returns>Whether all did.</returns>
    Task<bool> StopAsync();
}

/// <summary>A way to the grains.</summary>
/// <param name="Stopped">Fires when the silo dies: calls under way are to be made anew through another one.</param>
internal sealed record BankGateway(IGrainFactory Grains, CancellationToken Stopped);

/// <summary>The whole cluster.</summary>
internal sealed record ClusterView(IReadOnlyList<SiloView> Silos, IReadOnlyList<GroupView> Groups)
{
    /// <summary>The silos that the answering process can kill; if there are several, it can start them, too.</summary>
    public required IReadOnlyList<string> Own { get; init; }
}

/// <summary>One silo.</summary>
/// <param name="Status"><c>starting</c>, <c>alive</c>, <c>dying</c> or <c>dead</c>.</param>
/// <param name="Address">Where the other silos reach it.</param>
/// <param name="Replica">The replica it hosts, or null.</param>
internal sealed record SiloView(string Name, string Status, string Address, string? Replica)
{
    /// <summary>No silo is more than another; the field is there for clients that know it from before.</summary>
    public bool Primary { get; }
}

/// <summary>One replica group.</summary>
internal sealed record GroupView(int Group, IReadOnlyList<ReplicaView> Replicas)
{
    /// <summary>What a store says of its replicas; nothing if there is no store.</summary>
    /// <param name="silos">Give their names to hosts.</param>
    public static async Task<IReadOnlyList<GroupView>> ReadAsync(
        IConsensusStore? store, IReadOnlyList<SiloView> silos, CancellationToken cancellationToken)
    {
        var replicas = store is null ? [] : await store.GetStatusAsync(cancellationToken);
        return
        [
            .. replicas
                .GroupBy(replica => replica.Group)
                .OrderBy(group => group.Key)
                .Select(group => new GroupView(
                    group.Key, [.. group.Select(replica => ReplicaView.Of(replica, silos))])),
        ];
    }
}

/// <summary>One replica of a group.</summary>
/// <param name="Host">Name of the silo that hosts it, its address if that is unknown, or null.</param>
/// <param name="State">What the store says of it, in lower case.</param>
/// <param name="LogBytes">Size of its log, which all groups of the replica share.</param>
/// <param name="Problem">What is wrong and what to do, or null.</param>
internal sealed record ReplicaView(
    string Replica, string? Host, string State, string? LastBallot, long LogBytes, string? Problem)
{
    public static ReplicaView Of(ConsensusReplicaStatus replica, IReadOnlyList<SiloView> silos)
    {
        var address = replica.Host is { } parsable ? $"{SiloAddress.FromParsableString(parsable).Endpoint}" : null;
        var host = silos.FirstOrDefault(silo => silo.Address == address)?.Name ?? replica.Host;
        return new(
            replica.Replica,
            host,
            replica.State.ToString().ToLowerInvariant(),
            replica.LastBallot,
            replica.LogBytes,
            replica.Problem);
    }
}

/// <summary>What came of a request to kill or start a silo.</summary>
internal abstract record SiloChange
{
    /// <summary>It is as asked for.</summary>
    public sealed record Changed(SiloView Silo) : SiloChange;

    /// <summary>There is no such silo.</summary>
    public sealed record Unknown(string Why) : SiloChange;

    /// <summary>It can't be done to this silo, or not now.</summary>
    public sealed record Refused(string Why) : SiloChange;

    /// <summary>It was tried in vain.</summary>
    public sealed record Failed(string Why) : SiloChange;
}
