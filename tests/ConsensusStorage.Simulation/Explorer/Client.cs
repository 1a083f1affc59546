using System.Diagnostics;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Simulation.Linearizability;

namespace Orleans.Consensus.Simulation.Explorer;

/// <summary>A proposer and the one state object it serves: the least shell that Round needs. Immutable.</summary>
internal sealed record Client(int Index, int Life)
{
    /// <summary>Clients that have names of their own, over all their lives.</summary>
    public const int MaxClients = 16;

    /// <summary>Versions that one operation may mint: its own, and one of each round to settle an absence.</summary>
    public const ulong VersionsPerOperation = 1_000;

    public ProposerId Id { get; } = new((UInt128)(Index + 1 + (MaxClients * Life)));

    public long LastRound { get; init; }

    /// <summary>Operations begun.</summary>
    public int Begun { get; init; }

    /// <summary>Rounds begun for the running operation.</summary>
    public int Tries { get; init; }

    public CachedPromise? Cached { get; init; }

    /// <summary>The ballot at which the cached value was accepted.</summary>
    public Ballot CachedAt { get; init; }

    public RegisterVersion? Etag { get; init; }

    public InDoubt Doubt { get; init; } = InDoubt.None;

    /// <summary>The running round, or null between operations.</summary>
    public Round? Round { get; init; }

    /// <summary>Place of the running operation in the history.</summary>
    public int Operation { get; init; }

    public int RoundsLeft { get; init; }

    public bool WantPayload { get; init; }

    /// <summary>The version of the operation or, of a round of it, the one that settles an absence.</summary>
    public RegisterVersion Version(int round = 0) => new(Id, ((ulong)Begun * VersionsPerOperation) + (ulong)round);

    public Change Make(OperationKind kind, RegisterVersion version) => kind switch
    {
        OperationKind.Read => new Change.Read(version, Doubt),
        OperationKind.Write => new Change.Write(version, Doubt, Etag, new TaggedPayload(version)),
        OperationKind.Clear => new Change.Clear(version, Doubt, Etag),
        _ => throw new UnreachableException(),
    };

    /// <summary>Dies and comes back as a new proposer that remembers nothing (S2).</summary>
    public Client Reborn() => new(Index, Life + 1) { Begun = Begun, Operation = Operation };
}
