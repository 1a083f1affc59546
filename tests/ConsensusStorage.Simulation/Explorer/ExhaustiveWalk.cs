using Orleans.Consensus.Paxos;

namespace Orleans.Consensus.Simulation.Explorer;

/// <summary>
/// Every world that can be reached, breadth first, each once. A reply arrives at once or never: one that comes later
/// is no different, since what it says was fixed when it was made, and what it sets off can be late itself. Accepts
/// stay under way for as long as they could still do something; lost ones are those that never arrive. Left to the
/// random walks: prepares that nobody waits for, doubled messages.
/// </summary>
internal sealed class ExhaustiveWalk(WorldRules rules)
{
    private readonly HashSet<ulong> _seen = [];
    private readonly Queue<World> _open = new();

    /// <summary>How often a client may die, all together.</summary>
    public int Crashes { get; init; }

    /// <summary>Stop here; then the walk was not exhaustive.</summary>
    public int Limit { get; init; } = 2_000_000;

    public int States => _seen.Count;

    public bool IsComplete => _open.Count == 0;

    public ExhaustiveWalk Run()
    {
        Visit(new World(rules));
        while (States < Limit && _open.TryDequeue(out var world))
        {
            Expand(world);
        }

        return this;
    }

    private void Expand(World world)
    {
        foreach (var packet in world.Packets)
        {
            var isAwaited = world.IsForRunningRound(packet);
            Visit(world.Exchange(packet, replyIsLost: !isAwaited));
            if (isAwaited && packet.Request is Accept)
            {
                Visit(world.Exchange(packet, replyIsLost: true));
            }
        }

        var deaths = world.Clients.Sum(client => client.Life);
        for (var client = 0; client < world.Clients.Length; client++)
        {
            if (world.CanInvoke(client))
            {
                Visit(world.Invoke(client));
            }

            if (world.Clients[client].Round is not null)
            {
                Visit(world.GiveUp(client));
                if (deaths < Crashes)
                {
                    Visit(world.Crash(client));
                }
            }
        }
    }

    private void Visit(World world)
    {
        var pruned = world with { Packets = world.Packets.RemoveAll(packet => IsSpent(world, packet)) };
        if (_seen.Add(WorldKey.Of(pruned)))
        {
            _open.Enqueue(pruned);
        }
    }

    /// <summary>It is for no running round, and an acceptor would refuse it or only promise something by it.</summary>
    private static bool IsSpent(World world, Packet packet)
    {
        if (world.IsForRunningRound(packet))
        {
            return false;
        }

        var state = world.Acceptors[packet.Acceptor];
        return packet.Request is not Accept accept || accept.Ballot < state.Promised || accept.Ballot <= state.Accepted;
    }
}
