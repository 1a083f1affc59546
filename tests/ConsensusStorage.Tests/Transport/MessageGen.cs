using CsCheck;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Transport;
using Request = Orleans.Consensus.Paxos.Request;

namespace Orleans.Consensus.Tests.Transport;

/// <summary>Every message that may be sent.</summary>
internal static class MessageGen
{
    public static readonly Gen<UInt128> Wide = Gen.Select(Gen.ULong, Gen.ULong, (high, low) => new UInt128(high, low));

    private static readonly Gen<string> Text = Gen.String[Gen.Char.AlphaNumeric, 0, 40];

    public static readonly Gen<Ballot> SomeBallot = Gen.OneOf(
        Gen.Const(Ballot.None),
        Gen.Select(Gen.Long[0, long.MaxValue], Wide, (round, proposer) => new Ballot(round, new(proposer))));

    private static readonly Gen<Ballot> RealBallot = SomeBallot.Where(ballot => !ballot.IsNone);

    private static readonly Gen<Phase> SomePhase = Gen.Enum<Phase>();

    private static readonly Gen<Payload?> Stored = Gen.OneOf(
        Gen.Const((Payload?)null),
        Gen.Byte.Array[0, 300].Select(bytes => (Payload?)new PayloadBytes(bytes)));

    private static readonly Gen<RegisterId> Register = Gen.Byte.Array[1, 60].Select(key => RegisterId.FromKey(key));

    private static readonly Gen<Request> SomeRequest = Gen.OneOf(
        Gen.Select(SomeBallot, Gen.Bool, (ballot, want) => (Request)new Prepare(ballot, want)),
        Gen.Select(SomeBallot, Value(Stored), SomeBallot, (at, value, next) => (Request)new Accept(at, value, next)));

    private static readonly Gen<Reply> SomeReply = Gen.OneOf(
        SomeBallot.Select(ballot => (Reply)new Promise(ballot, Ballot.None, Value: null)),
        Gen.Select(SomeBallot, RealBallot, Value(Gen.OneOf(Stored, Gen.Const((Payload?)Payload.Omitted))),
            (ballot, accepted, value) => (Reply)new Promise(ballot, accepted, value)),
        Gen.Select(SomeBallot, RealBallot,
            (ballot, horizon) => (Reply)new Promise(ballot, Ballot.None, null) { Horizon = horizon }),
        SomeBallot.Select(ballot => (Reply)new Accepted(ballot)),
        Gen.Select(SomePhase, SomeBallot, SomeBallot, (phase, at, beat) => (Reply)new Conflict(phase, at, beat)),
        Gen.Select(SomePhase, SomeBallot, Gen.Long, (phase, at, top) => (Reply)new TooFarAhead(phase, at, top)),
        Gen.Select(SomePhase, SomeBallot, Text, Gen.Bool,
            (phase, at, why, lasts) => (Reply)new NoAnswer(phase, at, why) { Lasts = lasts }));

    public static readonly Gen<RequestBatch> Batch = Gen.Select(
        Text, ReplicaName, Wide, Gen.Long, Gen.Select(Register, SomeRequest).Array[0, 20],
        Gen.Select(Gen.ULong, Gen.ULong),
        (store, replica, log, generation, requests, id) => new RequestBatch(
            store,
            replica,
            new(log),
            generation,
            [.. requests.Select(one => new RegisterRequest(one.Item1, one.Item2))],
            new(id.Item1, id.Item2)));

    public static readonly Gen<BatchReply> Reply = Gen.OneOf(
        Text.Select(BatchReply.Refused),
        SomeReply.Array[0, 20].Select(replies => new BatchReply(null, [.. replies])));

    public static readonly Gen<StoreDescription> Description = Gen.Select(
        Text, ReplicaDescription.Array[0, ReplicaSet.MaxReplicas], Gen.Bool,
        (shape, replicas, isDone) => new StoreDescription(shape, [.. replicas]) { IsDone = isDone });

    private static Gen<ReplicaId> ReplicaName =>
        Gen.String[Gen.Char.AlphaNumeric, 1, ReplicaId.MaxLength].Select(name => new ReplicaId(name));

    private static Gen<ReplicaDescription> ReplicaDescription => Gen.Select(
        Gen.Select(ReplicaName, Wide, Gen.Bool, (name, log, open) => (name, log: open ? new LogId(log) : (LogId?)null)),
        Gen.Enum<ReplicaState>(),
        Wide.Array[0, ReplicaSet.MaxReplicas],
        SomeBallot.Array[0, 16],
        Gen.Select(Gen.Long[0, long.MaxValue], Gen.Long[0, long.MaxValue], (log, ceiling) => (log, ceiling)),
        Gen.OneOf(Text, Gen.Const((string)null!)),
        (id, state, peers, groups, sizes, problem) => new ReplicaDescription(
            id.name, id.log, state, [.. peers.Select(peer => new LogId(peer))], [.. groups], sizes.log, problem)
        {
            Ceiling = sizes.ceiling,
        });

    /// <summary>All there is in a message, for comparison: payloads by their bytes.</summary>
    public static string Show(RequestBatch batch) =>
        $"{batch.Store}|{batch.Replica}|{batch.Log}|{batch.Generation}|"
        + string.Join(';', batch.Requests.Select(one =>
            $"{Convert.ToHexString(one.Register.Key.Span)}:{Show(one.Request)}"));

    public static string Show(BatchReply reply) =>
        $"{reply.Refusal ?? "-"}|" + string.Join(';', reply.Replies.Select(one => one is Promise promise
            ? $"promise {Show(promise.Ballot)} {Show(promise.Accepted)} {Show(promise.Value)}"
            : $"{one}{Show(one.Ballot)}{(one is Conflict conflict ? Show(conflict.ToBeat) : "")}"));

    public static string Show(StoreDescription? description) => description is null
        ? "none"
        : $"{description.Shape}|" + string.Join(';', description.Replicas.Select(one =>
            $"{one.Replica},{one.Log},{one.State},{string.Join('+', one.Peers)},"
            + $"{string.Join('+', one.Groups.Select(Show))},{one.LogBytes},{one.Ceiling},{one.Problem ?? "-"}"));

    private static Gen<RegisterValue> Value(Gen<Payload?> payload) => Gen.Select(
        Wide, Gen.ULong, payload, (writer, sequence, held) => new RegisterValue(new(new(writer), sequence), held));

    private static string Show(Request request) => request is Accept accept
        ? $"accept {Show(accept.Ballot)} {Show(accept.Next)} {Show(accept.Value)}"
        : $"{request}{Show(request.Ballot)}";

    private static string Show(Ballot ballot) => $"{ballot.Round}.{ballot.Proposer}";

    private static string Show(RegisterValue? value) => value is null
        ? "none"
        : $"{value.Version}=" + (value.Payload switch
        {
            null => "tombstone",
            PayloadBytes bytes => Convert.ToHexString(bytes.Bytes.Span),
            _ => "omitted",
        });
}
