namespace Orleans.Consensus.Paxos;

/// <summary>Which half of a round a message belongs to.</summary>
internal enum Phase : byte
{
    Prepare = 1,
    Accept = 2,
}

/// <summary>What a proposer asks of an acceptor about one register.</summary>
internal abstract record Request(Phase Phase, Ballot Ballot);

/// <summary>Phase 1. "Promise me this ballot and tell me what you accepted" (CASPaxos §2.2).</summary>
/// <param name="WantPayload">Whether the promise has to carry the accepted payload, or its version is enough.</param>
internal sealed record Prepare(Ballot Ballot, bool WantPayload) : Request(Phase.Prepare, Ballot);

/// <summary>Phase 2, with the promise for the next round on its back (CASPaxos §2.2.1).</summary>
/// <param name="Next">Promised together with the acceptance, as one record (S5).</param>
internal sealed record Accept(Ballot Ballot, RegisterValue Value, Ballot Next) : Request(Phase.Accept, Ballot);

/// <summary>An acceptor's answer; it echoes the phase and the whole ballot (S22).</summary>
internal abstract record Reply(Phase Phase, Ballot Ballot);

/// <summary>Agrees to a <see cref="Prepare"/>.</summary>
/// <param name="Accepted">The ballot of what it accepted last, or none.</param>
/// <param name="Value">What it accepted last; the payload is <see cref="Payload.Omitted"/> unless asked for.</param>
internal sealed record Promise(Ballot Ballot, Ballot Accepted, RegisterValue? Value)
    : Reply(Phase.Prepare, Ballot)
{
    /// <summary>If it accepted nothing: its horizon, up to which it may have dropped tombstones (S12).</summary>
    public Ballot Horizon { get; init; }
}

/// <summary>Agrees to an <see cref="Accept"/>.</summary>
internal sealed record Accepted(Ballot Ballot) : Reply(Phase.Accept, Ballot);

/// <summary>Refuses: a ballot at least as high has been seen.</summary>
internal sealed record Conflict(Phase Phase, Ballot Ballot, Ballot ToBeat) : Reply(Phase, Ballot);

/// <summary>Refuses a round more than an hour ahead of all it knows (S4): somebody's clock is wrong.</summary>
internal sealed record TooFarAhead(Phase Phase, Ballot Ballot, long Ceiling) : Reply(Phase, Ballot);

/// <summary>Not an acceptor's word: the shell got none from this replica and will get none.</summary>
internal sealed record NoAnswer(Phase Phase, Ballot Ballot, string Why) : Reply(Phase, Ballot)
{
    /// <summary>It won't answer the next request either: the cause, say a full disk, lasts.</summary>
    public bool Lasts { get; init; }
}
