using System.Collections.Immutable;
using Orleans.Consensus.Clustering;
using Orleans.Consensus.Clustering.Documents;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Simulation.Documents;
using Orleans.Consensus.Transport;
using Orleans.Runtime;

namespace Orleans.Consensus.Simulation.Runs;

/// <summary>Says what is in a message or an answer.</summary>
internal static class Wording
{
    public static string Of(object detail) => detail switch
    {
        RequestBatch batch => $"{batch.Replica}: {string.Join("; ", batch.Requests.Select(Of))}",
        BatchReply { Refusal: { } why } => $"refused: {why}",
        BatchReply reply => string.Join("; ", reply.Replies.Select(Of)),
        SiloAddress silo => Name(silo),
        DocumentRequest { Content: { Length: > 0 } content } write =>
            $"{Name(write)} {Of(AcceptorDocument.Decode(content.Span))}",
        DocumentRequest request => Name(request),
        Document { Bytes: var bytes } => $"found {Of(AcceptorDocument.Decode(bytes.Span))}",
        ChangeResult.Found found => $"found {Of(found.Value)}",
        ChangeResult.Applied applied => $"applied, now {applied.Version?.ToString()[^6..] ?? "nothing"}",
        ChangeResult.Stale stale =>
            $"stale, found {Of(stale.Current)}{(stale.MayHaveHappened ? "; it may have happened" : "")}",
        ChangeResult.NotApplied none => $"not applied: {none.Reason}{Of(none.Answers)}",
        ChangeResult.Unknown unknown => $"unknown: {unknown.Reason}{Of(unknown.Answers)}",
        _ => $"{detail}",
    };

    /// <summary>Its number, and which of its lives this is.</summary>
    public static string Name(SiloAddress silo) => $"silo {silo.Endpoint.Port - 1000} (life {silo.Generation})";

    private static string Name(DocumentRequest request) =>
        $"process {request.Process}, place {request.Place + 1}: {request.What} {request.Name}";

    private static string Of(ImmutableArray<ReplicaAnswer> answers) =>
        string.Concat(answers.Select(answer => $"; {answer.Replica}: {answer.Text}"));

    private static string Of(AcceptorDocument document) =>
        $"{(document.IsFormed ? "" : $"{document.Peers.Length} peers, no vote, ")}promised {document.State.Promised}, "
        + $"accepted {document.State.Accepted} {Of(document.State.Value)}";

    private static string Of(RegisterRequest request) => request.Request switch
    {
        Prepare prepare => $"{Key(request.Register)} prepare {prepare.Ballot}",
        Accept accept => $"{Key(request.Register)} accept {accept.Ballot} {Of(accept.Value)} next {accept.Next}",
        _ => $"{request}",
    };

    private static string Of(Reply reply) => reply switch
    {
        Promise promise => $"promise {promise.Ballot}, accepted {promise.Accepted} {Of(promise.Value)}",
        Accepted accepted => $"accepted {accepted.Ballot}",
        Conflict conflict => $"conflict {conflict.Ballot}, {conflict.ToBeat} stands",
        TooFarAhead far => $"{far.Ballot} is too far ahead",
        NoAnswer none => $"no answer: {none.Why}",
        _ => $"{reply}",
    };

    private static string Of(RegisterValue? value) => value switch
    {
        null => "nothing",
        { IsTombstone: true } => $"tombstone {value.Version.ToString()[^6..]}",
        _ => $"version {value.Version.ToString()[^6..]}",
    };

    private static string Key(RegisterId register) => register.ToString().Split('/')[^1];
}
