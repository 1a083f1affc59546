using Orleans.Consensus.Paxos;

namespace Orleans.Consensus.Simulation.Explorer;

/// <summary>
/// What may happen in a world next. Every message may be late, overtaken or lost: lost is what never arrives.
/// </summary>
/// <remarks>
/// An acceptor that dies and comes back has lost nothing, since a step is durable before its reply is out; it takes no
/// step of its own here because it is the same as losing the requests under way to it and the replies of it.
/// Unless <see cref="RepliesTravel"/>, a reply arrives at once or never: what it says was fixed when it was made, and
/// what it sets off can be late itself. Prepares that nobody waits for are left out then; they could only refuse others
/// something, as losses do.
/// </remarks>
internal sealed record Moves
{
    /// <summary>How often clients may die, all together.</summary>
    public int Crashes { get; init; }

    /// <summary>How many messages may come twice.</summary>
    public int Doubles { get; init; }

    /// <summary>How many copies of chosen values may be made, for all acceptors that miss them by then.</summary>
    public int Copies { get; init; }

    /// <summary>How often tombstones may be collected.</summary>
    public int Collections { get; init; }

    /// <summary>How often floors are raised for the sake of other registers.</summary>
    public int Floors { get; init; }

    /// <summary>How often acceptors may raise their floors alone.</summary>
    public int Alone { get; init; }

    /// <summary>Whether the register was written and cleared before it all begins.</summary>
    public bool StartsCleared { get; init; }

    /// <summary>Replies are messages of their own, and prepares arrive even when nobody waits for them.</summary>
    public bool RepliesTravel { get; init; }

    public IEnumerable<Step> In(World world)
    {
        for (var index = 0; index < world.Clients.Length; index++)
        {
            if (world.CanInvoke(index))
            {
                yield return new Step.Begins(index);
            }
        }

        foreach (var packet in world.Packets)
        {
            foreach (var step in Of(world, packet))
            {
                yield return step;
            }
        }

        foreach (var step in Failures(world).Concat(Copying(world)).Concat(Collecting(world)))
        {
            yield return step;
        }
    }

    public World Start(WorldRules rules) => StartsCleared ? World.Cleared(rules) : new(rules);

    /// <summary>The same world without the messages that would do nothing.</summary>
    public World Prune(World world) =>
        world with { Packets = world.Packets.RemoveAll(packet => IsSpent(world, packet)) };

    private IEnumerable<Step> Of(World world, Packet packet)
    {
        for (var isDoubled = false; ; isDoubled = true)
        {
            var isAwaited = world.IsForRunningRound(packet);
            if (RepliesTravel)
            {
                yield return new Step.Arrives(packet, isDoubled);
            }
            else
            {
                if (isAwaited)
                {
                    yield return new Step.IsAnswered(packet, ReplyIsLost: false, isDoubled);
                }

                if (!isAwaited || packet.Request is Accept)
                {
                    yield return new Step.IsAnswered(packet, ReplyIsLost: true, isDoubled);
                }
            }

            if (isDoubled || world.Doubled == Doubles)
            {
                yield break;
            }
        }
    }

    private IEnumerable<Step> Failures(World world)
    {
        var mayDie = world.Clients.Sum(client => client.Life) < Crashes;
        foreach (var client in world.Clients)
        {
            if (client.Round is not null)
            {
                yield return new Step.GivesUp(client.Index);
            }

            if (mayDie && (client.Round is not null || (client.Begun > 0 && world.CanInvoke(client.Index))))
            {
                yield return new Step.Dies(client.Index);
            }
        }
    }

    private IEnumerable<Step> Copying(World world)
    {
        foreach (var proposal in world.Copies.Length < Copies ? world.Ledger.Proposals : [])
        {
            if (world.Copies.All(copy => copy.At != proposal.Ballot) && world.Look(proposal.Ballot) is { } copy)
            {
                yield return new Step.IsNoted(copy);
            }
        }

        foreach (var copy in world.Copies)
        {
            for (var acceptor = 0; acceptor < world.Acceptors.Length; acceptor++)
            {
                if (world.Acceptors[acceptor].Accepted < copy.At)
                {
                    yield return new Step.IsCopied(copy, acceptor);
                }
            }
        }
    }

    /// <summary>What the collector and the acceptors may do for one another.</summary>
    public IEnumerable<Step> Collecting(World world)
    {
        if (world.Collector.ForOthers < Floors)
        {
            yield return new Step.FloorIsWanted();
        }

        for (var acceptor = 0; acceptor < world.Acceptors.Length; acceptor++)
        {
            foreach (var floor in world.RaisedAlone < Alone ? world.FloorsAlone(acceptor) : [])
            {
                yield return new Step.RaisesAlone(acceptor, floor);
            }

            if (world.Collector.Awaits(acceptor, world.Acceptors[acceptor], Collections))
            {
                yield return new Step.Reports(acceptor);
            }

            foreach (var order in world.Collector.Orders)
            {
                if (world.Floors[acceptor].Horizon < order.Floor)
                {
                    yield return new Step.Raises(acceptor, order);
                }

                if (world.IsDue(order) && world.AfterDrop(acceptor, order) is null)
                {
                    yield return new Step.Drops(acceptor, order);
                }
            }
        }
    }

    private bool IsSpent(World world, Packet packet)
    {
        if (world.IsForRunningRound(packet))
        {
            return false;
        }

        return packet.Request switch
        {
            Accept accept => !world.Changes(packet.Acceptor, accept),
            Prepare prepare => !RepliesTravel || !world.Changes(packet.Acceptor, prepare),
            _ => true,
        };
    }
}
