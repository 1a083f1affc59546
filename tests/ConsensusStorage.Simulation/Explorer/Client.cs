using System.Diagnostics;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Simulation.Linearizability;

namespace Orleans.Consensus.Simulation.Explorer;

/// <summary>A proposer and the one state object it serves: the least shell that Round needs. Immutable.</summary>
internal sealed record Client(int Index, int Life)
{
    public ProposerId Id { get; } = new((UInt128)(Index + 1 + (16 * Life)));

    public long LastRound { get; init; }

    public ulong Minted { get; init; }

    /// <summary>Operations begun.</summary>
    public int Begun { get; init; }

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
