using System.Collections.Immutable;

namespace Orleans.Consensus.Tests.Simulation;

/// <summary>
/// The name of a world is written by hand. A field that is new here has to be put into it, or to be left out for a
/// reason: worlds that differ in a forgotten one would be taken for one, and what follows from the second never seen.
/// </summary>
public sealed class WorldKeyFieldTests
{
    private static readonly string[] Named =
    [
        "World: Acceptors Clients Packets History Ledger Doubled Floors RaisedAlone Collector Copies",
        "GroupFloor: Floor Horizon",
        "AcceptorState: Promised Accepted Value",
        "Ballot: Round Proposer", "ProposerId: Value", "RegisterVersion: Writer Sequence", "RegisterValue: Version",
        "Client: Index Life LastRound Begun Cached CachedAt Etag Doubt Round RoundsLeft WantPayload",
        "CachedPromise: Ballot Current", "Horizon: Round By",
        "InDoubt: Versions Binding", "Absence: Tombstone Horizon",
        "Round: Start", "RoundStart: Ballot Next Change", "Change: Version InDoubt", "Votes: Yes No",
        "Preparing: Votes Accepted Farthest Uniform Held", "Accepting: At Value After OneRoundTrip Votes Held Refusals",
        "Packet: Client Life Acceptor Request Reply IsCopy",
        "Request: Ballot", "Prepare: WantPayload", "Accept: Value Next",
        "Reply: Phase Ballot", "Promise: Accepted Value Horizon", "Conflict: ToBeat",
        "Operation: Version Expected Invoked Returned Ending Seen",
        "Ledger: Proposals Dead Dropped", "Proposal: Ballot Version Source Takers IsRuledOut",
        "Collector: Reports Orders Begun ForOthers",
        "Report: Accepted Tombstone Horizon", "Order: Accepted Tombstone Floor", "Copy: At Value Seen",
    ];

    private static readonly Dictionary<string, string> LeftOut = new()
    {
        ["World.Rules"] = "all worlds of a walk have the same",
        ["World.Now"] = "moments count by their order, and it is behind all of them",
        ["World.HighestRound"] = "with a common clock the next ballot is above all others, else nobody looks at it",
        ["RegisterValue.Payload"] = "goes with the version, or is left out where it was not asked for",
        ["Client.Id"] = "follows from index and life",
        ["Client.Tries"] = "the rounds that are not left, and one more if a change asks for the payload",
        ["Client.Operation"] = "the last one that the client began",
        ["RoundStart.Replicas"] = "all worlds of a walk have the same",
        ["RoundStart.Settle"] = "follows from the client's tries",
        ["RoundStart.Cached"] = "is used up when the round begins",
        ["RoundStart.WantPayload"] = "is the client's",
        ["Preparing.Value"] = "was proposed at the ballot it was accepted at",
        ["Accepting.Result"] = "follows from the change, the client's ETag and the value",
        ["Finished.After"] = "no client keeps a round that is over",
        ["Finished.Outcome"] = "no client keeps a round that is over",
        ["Votes.Replicas"] = "all worlds of a walk have the same",
        ["Write.Expected"] = "is the client's ETag",
        ["Write.Payload"] = "goes with the version",
        ["Clear.Expected"] = "is the client's ETag",
        ["Request.Phase"] = "goes with the kind of request",
        ["TooFarAhead.Ceiling"] = "acceptors of these worlds believe every clock",
        ["NoAnswer.Why"] = "is an answer of shells",
        ["NoAnswer.Lasts"] = "is an answer of shells",
        ["Operation.Kind"] = "the script says it, for each version",
        ["Operation.Doubts"] = "follows from how the client's operations before it ended",
        ["Ledger.Quorum"] = "all worlds of a walk have the same",
        ["Ledger.Applied"] = "follows from proposals, takers and what was dropped",
    };

    [Fact]
    public void Every_field_of_a_world_is_in_its_name_or_left_out_for_a_reason()
    {
        var named = Named.SelectMany(line => line.Split(": ") is [var type, var fields]
            ? fields.Split(' ').Select(field => $"{type}.{field}")
            : []).ToList();
        var found = new HashSet<string>();
        Walk(typeof(World), found, new HashSet<Type>());

        Assert.Empty(named.Intersect(LeftOut.Keys));
        Assert.Equal(named.Concat(LeftOut.Keys).Order(), found.Order());
    }

    /// <summary>Adds the fields of a type, its base types and its subtypes, and of whatever they hold.</summary>
    private static void Walk(Type type, HashSet<string> found, HashSet<Type> walked)
    {
        if (!IsOurs(type) || type.IsEnum || !walked.Add(type))
        {
            return;
        }

        foreach (var (field, name) in StructuralText.FieldsOf(type))
        {
            var full = $"{type.Name}.{name}";
            found.Add(full);
            if (!LeftOut.ContainsKey(full))
            {
                Walk(ElementOf(field.FieldType), found, walked);
            }
        }

        Walk(type.BaseType!, found, walked);
        foreach (var subtype in type.Assembly.GetTypes().Where(one => one.BaseType == type))
        {
            Walk(subtype, found, walked);
        }
    }

    private static Type ElementOf(Type type)
    {
        var isWrapped = type.IsGenericType
            && (type.GetGenericTypeDefinition() == typeof(ImmutableArray<>)
                || type.GetGenericTypeDefinition() == typeof(Nullable<>));
        return isWrapped ? ElementOf(type.GetGenericArguments()[0]) : type;
    }

    private static bool IsOurs(Type type) =>
        type.Assembly == typeof(World).Assembly || type.Assembly == typeof(Change).Assembly;
}
