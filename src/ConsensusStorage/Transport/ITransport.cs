using System.Collections.Immutable;
using Orleans.Consensus.Paxos;
using Orleans.Runtime;

namespace Orleans.Consensus.Transport;

/// <summary>
/// Carries batches from one silo of the cluster to another, or to itself. Faults are its nature: a call may be lost,
/// late, executed without an answer, or delivered twice; it is never retried here.
/// </summary>
internal interface ITransport
{
    SiloAddress Local { get; }

    /// <summary>Hands <paramref name="batch"/> to the replica it names on <paramref name="silo"/>.</summary>
    /// <exception cref="Exception">No answer: what was asked for may or may not have happened.</exception>
    Task<BatchReply> SendAsync(SiloAddress silo, RequestBatch batch, CancellationToken cancellationToken);

    /// <summary>Asks which replicas of <paramref name="store"/> a silo hosts; null if it has no such store.</summary>
    /// <exception cref="Exception">No answer.</exception>
    Task<StoreDescription?> DescribeAsync(SiloAddress silo, string store, CancellationToken cancellationToken);
}

/// <summary>Takes what the transport brings. One for each store of a silo.</summary>
internal interface ITransportTarget
{
    /// <summary>Decides, persists and answers a batch; throws only when the token fires.</summary>
    Task<BatchReply> HandleAsync(RequestBatch batch, CancellationToken cancellationToken);

    /// <summary>What this silo hosts of the store.</summary>
    StoreDescription Describe();
}

/// <summary>The silos that seem alive. A hint about where replicas are, never a proof of anything.</summary>
internal interface IMembershipView
{
    ImmutableArray<SiloAddress> LiveSilos { get; }

    /// <summary>Those of them that are neither on their way in nor out: they host replicas that float.</summary>
    ImmutableArray<SiloAddress> StayingSilos { get; }

    /// <summary>Those of them that are on their way out.</summary>
    ImmutableArray<SiloAddress> LeavingSilos { get; }

    /// <summary>Grows with every change of the membership; two silos may know different ones.</summary>
    long Version { get; }

    /// <summary>
    /// Completes when the view has changed since it was read last, or told of last; each reader has a view of its own.
    /// </summary>
    Task ChangedAsync(CancellationToken cancellationToken);
}

/// <summary>Requests for one replica, each about a register of its own.</summary>
/// <param name="Store">Name of the consensus store.</param>
/// <param name="Replica">The acceptor they are for.</param>
/// <param name="Log">The log that acceptor is expected to have (S13).</param>
/// <param name="Generation">Configuration generation the sender knows (S15).</param>
/// <param name="Id">Tells a copy from the first delivery.</param>
internal sealed record RequestBatch(
    string Store,
    ReplicaId Replica,
    LogId Log,
    long Generation,
    ImmutableArray<RegisterRequest> Requests,
    BatchId Id);

/// <summary>One request about one register.</summary>
internal readonly record struct RegisterRequest(RegisterId Register, Request Request)
{
    /// <summary>Bytes it takes on the wire, there or back, about.</summary>
    public int Size
    {
        get
        {
            const int fixedPart = 96;
            const int answer = 4096;
            var payload = Request switch
            {
                Accept { Value.Payload: PayloadBytes bytes } => bytes.Bytes.Length,
                Prepare { WantPayload: true } => answer,
                _ => 0,
            };
            return fixedPart + Register.Key.Length + payload;
        }
    }
}

/// <summary>The answer to a <see cref="RequestBatch"/>: refused as a whole, or one reply for each request.</summary>
/// <param name="Refusal">Why nothing was looked at, or null.</param>
/// <param name="Replies">In the order of the requests.</param>
internal sealed record BatchReply(string? Refusal, ImmutableArray<Reply> Replies)
{
    public static BatchReply Refused(string why) => new(why, []);
}

/// <summary>What a silo says of its part of a store: the base of discovery and formation (S13).</summary>
/// <param name="Shape">Service, store, replica list and group count in one text; equal on all silos of a store.</param>
/// <param name="Replicas">The replicas it hosts.</param>
internal sealed record StoreDescription(string Shape, ImmutableArray<ReplicaDescription> Replicas)
{
    /// <summary>Whether a replica says which opening of its log it is.</summary>
    public bool Floats => Replicas.Any(replica => replica.Epoch > 0);

    /// <summary>The silo is on its way out, and its grains have written their last.</summary>
    public bool IsDone { get; init; }
}

/// <summary>One hosted replica.</summary>
/// <param name="Log">The identity of its log; null while the log is not open.</param>
/// <param name="State">How far it is.</param>
/// <param name="Peers">The logs of all replicas in ordinal order, once durable in this one; else empty.</param>
/// <param name="Groups">Per group: the last ballot promised or accepted.</param>
/// <param name="LogBytes">Size of the log.</param>
/// <param name="Problem">Why it does not answer, in words, or null.</param>
internal sealed record ReplicaDescription(
    ReplicaId Replica,
    LogId? Log,
    ReplicaState State,
    ImmutableArray<LogId> Peers,
    ImmutableArray<Ballot> Groups,
    long LogBytes,
    string? Problem)
{
    /// <summary>
    /// Of a replica whose log can be taken over: its owner epoch, which tells its host from a former one. Else 0.
    /// </summary>
    public long Epoch { get; init; }

    /// <summary>The highest round that it believes now (S4); 0 if its log is not open.</summary>
    public long Ceiling { get; init; }

    /// <summary>Of a replica that floats: its host keeps it only until the silo that it belongs to has it.</summary>
    public bool IsGuest { get; init; }

    /// <summary>
    /// With the problem that it refuses what a silo asks whose clock shows <paramref name="now"/>, if it does.
    /// </summary>
    public ReplicaDescription JudgedAt(DateTimeOffset now) =>
        State == ReplicaState.Serving && Problem is null && Ceiling > 0
            && Ballot.RoundAt(now.ToUnixTimeMilliseconds()) > Ceiling
            ? this with
            {
                Problem = "The clock of this silo is more than an hour ahead of it, so it refuses what this silo asks. "
                    + "Set the clock right that is wrong: the one of this silo, or of the silo with the replica.",
            }
            : this;
}

/// <summary>The life of a hosted replica.</summary>
internal enum ReplicaState : byte
{
    /// <summary>Its log is being opened and replayed.</summary>
    Opening = 1,

    /// <summary>Its log is new: it answers nothing until all replicas know one another (S13).</summary>
    Forming = 2,

    /// <summary>It answers.</summary>
    Serving = 3,

    /// <summary>Its log failed; it is about to open it again.</summary>
    Recovering = 4,

    /// <summary>It will not answer until an operator has acted; the problem says why.</summary>
    Refused = 5,

    /// <summary>The silo is stopping.</summary>
    Stopped = 6,
}
