using System.Text;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Simulation.Linearizability;

namespace Orleans.Consensus.Simulation.Explorer;

/// <summary>Tells the way to a world in words, one step a line.</summary>
internal static class Story
{
    public static string Tell(World start, Moves moves, IEnumerable<Step> steps, string end)
    {
        var text = new StringBuilder();
        var world = start;
        var number = 0;
        foreach (var step in steps)
        {
            text.Append($"{++number,4}. {step.Tell(world)}");
            try
            {
                var next = moves.Prune(step.Take(world));
                text.Append(Consequences(world, next));
                world = next;
            }
            catch (Exception error) when (error is not OutOfMemoryException)
            {
                text.Append(": that must not be");
            }

            text.AppendLine();
        }

        return text.AppendLine(end).ToString();
    }

    public static string Name(Ballot ballot) =>
        ballot.IsNone ? "none" : $"{ballot.Round}.{Name(ballot.Proposer)}";

    /// <summary>Client, operation of it and, if it only settles an absence, the round that minted it.</summary>
    public static string Name(RegisterVersion? version) => version is { } known
        ? $"v{Name(known.Writer)}-{known.Sequence / Client.VersionsPerOperation}"
            + (known.Sequence % Client.VersionsPerOperation is > 0 and var round ? $"/{round}" : "")
        : "nothing";

    public static string Name(Packet packet) => packet.Request switch
    {
        Prepare or Accept => $"{Name(packet.Request)} of client {packet.Client + 1} to acceptor {packet.Acceptor + 1}",
        _ => $"{Name(packet.Reply!)} of acceptor {packet.Acceptor + 1} to client {packet.Client + 1}",
    };

    private static string Name(ProposerId proposer)
    {
        if (proposer == Collector.Id)
        {
            return "collector";
        }

        var number = (int)(ulong)proposer.Value - 1;
        return $"{(number % Client.MaxClients) + 1}" + new string('\'', number / Client.MaxClients);
    }

    private static string Name(Orleans.Consensus.Paxos.Request request) => request switch
    {
        Accept accept => $"accept {Name(accept.Ballot)} ({Name(accept.Value)}, next {Name(accept.Next)})",
        _ => $"prepare {Name(request.Ballot)}",
    };

    private static string Name(Reply reply) => reply switch
    {
        Promise promise => $"promise {Name(reply.Ballot)} (holds {Name(promise.Value)} at {Name(promise.Accepted)})",
        Accepted => $"accepted {Name(reply.Ballot)}",
        _ => $"refusal of {Name(reply.Ballot)}",
    };

    public static string Name(RegisterValue? value) =>
        value is { IsTombstone: true } ? $"cleared by {Name(value.Version)}" : Name(value?.Version);

    private static string Consequences(World before, World after)
    {
        var text = new StringBuilder();
        for (var acceptor = 0; acceptor < after.Acceptors.Length; acceptor++)
        {
            var state = after.Acceptors[acceptor];
            if (state != before.Acceptors[acceptor])
            {
                text.Append($"; acceptor {acceptor + 1} now holds {Name(state.Value)} at {Name(state.Accepted)} ");
                text.Append($"and has promised {Name(state.Promised)}");
            }
        }

        foreach (var client in after.Clients)
        {
            var was = before.Clients[client.Index];
            if (was.Round is not null && client.Round is null && was.Life == client.Life)
            {
                var operation = after.History[client.Operation];
                text.Append($"; client {client.Index + 1} is told: {Name(operation)}");
            }

            var sent = after.Packets.LastOrDefault(
                packet => packet.Client == client.Index && packet.Request is not null);
            if (sent is not null && !before.Packets.Any(packet => ReferenceEquals(packet.Request, sent.Request)))
            {
                text.Append($"; client {client.Index + 1} sends {Name(sent.Request!)} to all");
            }
        }

        return text.ToString();
    }

    private static string Name(Operation operation) => operation.Ending switch
    {
        Ending.Applied => $"{Name(operation.Version)} is applied",
        Ending.Found => $"found {Name(operation.Seen)}",
        Ending.Stale => $"stale, there is {Name(operation.Seen)}",
        Ending.StaleAfterDoubt => $"stale, there is {Name(operation.Seen)}, and it may have happened before",
        Ending.Maybe => $"{Name(operation.Version)} may be applied or not",
        _ => $"{Name(operation.Version)} is not applied and never will be",
    };
}
