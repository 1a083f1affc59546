using System.Diagnostics;
using System.Globalization;
using System.Text;
using Orleans.Consensus.Paxos;
using Request = Orleans.Consensus.Paxos.Request;

namespace Orleans.Consensus.SampleSilo.Walkthrough;

/// <summary>Messages, ballots and values for people.</summary>
/// <param name="proposers">Their names.</param>
internal sealed class Wording(IReadOnlyDictionary<ProposerId, char> proposers)
{
    /// <summary>Round number and proposer.</summary>
    public string Of(Ballot ballot) => ballot.IsNone
        ? "none"
        : string.Create(CultureInfo.InvariantCulture, $"ballot {ballot.Round}.{proposers[ballot.Proposer]}");

    public string Of(Request request) => request switch
    {
        Prepare prepare => $"prepare, {Of(prepare.Ballot)}",
        Accept accept =>
            $"accept {Text(accept.Value.Payload)}, {Of(accept.Ballot)}; promise me {Of(accept.Next)} with it",
        _ => throw new UnreachableException(),
    };

    public string Of(ReplicaId from, char to, Reply reply) => reply switch
    {
        Promise { Value: null } promise => $"{from} -> {to}: promise, {Of(promise.Ballot)}; nothing accepted before",
        Promise promise => $"{from} -> {to}: promise, {Of(promise.Ballot)}; accepted {Text(promise.Value?.Payload)} "
            + $"at {Of(promise.Accepted)}",
        Accepted accepted => $"{from} -> {to}: accepted, {Of(accepted.Ballot)}",
        Conflict conflict => $"{from} -> {to}: refused, {Of(conflict.Ballot)}; {Of(conflict.ToBeat)} came before",
        TooFarAhead ahead => $"{from} -> {to}: refused, {Of(ahead.Ballot)} is too far ahead",
        NoAnswer silent => $"     {from} does not answer: {silent.Why}",
        _ => throw new UnreachableException(),
    };

    public string Of(LogFinding finding) => finding.State switch
    {
        { Value: not null } state =>
            $"log of {finding.Node}: accepted {finding.Value} at {Of(state.Accepted)}, promised {Of(state.Promised)}",
        var state => $"log of {finding.Node}: accepted nothing, promised {Of(state.Promised)}",
    };

    /// <summary>A value's text.</summary>
    public static string Text(Payload? payload) => payload switch
    {
        PayloadBytes bytes => Encoding.UTF8.GetString(bytes.Bytes.Span),
        null => "nothing",
        _ => "a value",
    };
}
