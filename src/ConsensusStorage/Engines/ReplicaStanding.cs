using Orleans.Consensus.Transport;
using Orleans.Runtime;

namespace Orleans.Consensus.Engines;

/// <summary>
/// What one replica is able to do for this silo, and why it is not more. Status, health, log and exceptions say this
/// and nothing else.
/// </summary>
/// <param name="Host">The silo that hosts it and answers, or null.</param>
/// <param name="Described">What that silo said of it last, or null.</param>
/// <param name="Problem">Why it does not serve, and what to do, or null.</param>
/// <param name="Notice">What is wrong elsewhere although it serves, or null.</param>
internal sealed record ReplicaStanding(
    ReplicaId Replica,
    ConsensusReplicaState State,
    SiloAddress? Host,
    ReplicaDescription? Described,
    string? Problem,
    string? Notice)
{
    /// <summary>A round may count on it.</summary>
    public bool IsUsable => State == ConsensusReplicaState.Serving;

    /// <summary>State and reason, for operators.</summary>
    public string Words => Problem is null ? $"{State}." : $"{State}. {Problem}";

    /// <summary>What is to be told of it when a change has failed.</summary>
    /// <param name="said">What it said in the last round, or null if there was none.</param>
    /// <param name="needed">Replicas that a quorum needs.</param>
    public ReplicaAnswer Tell(ReplicaAnswer? said, int needed) => said switch
    {
        { Answered: true } answer => answer,
        _ when !IsUsable => new(Replica, false, Words),
        { } answer => answer,
        null => new(
            Replica, false, $"it serves on {Host?.ToParsableString()} and was not asked, since {needed} are needed"),
    };
}
