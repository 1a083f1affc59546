namespace Orleans.Consensus.Simulation.Explorer;

/// <summary>One thing that happens in a world. Immutable.</summary>
internal abstract record Step
{
    /// <summary>The world after it.</summary>
    /// <exception cref="WorldViolationException">A check failed.</exception>
    public abstract World Take(World world);

    /// <summary>What happens, in words.</summary>
    public abstract string Tell(World world);

    public sealed record Begins(int Client) : Step
    {
        public override World Take(World world) => world.Invoke(Client);

        public override string Tell(World world)
        {
            var kind = world.Rules.Scripts[Client][world.Clients[Client].Begun];
            return $"client {Client + 1} begins a {kind.ToString().ToLowerInvariant()}";
        }
    }

    public sealed record GivesUp(int Client) : Step
    {
        public override World Take(World world) => world.GiveUp(Client);

        public override string Tell(World world) => $"client {Client + 1} waits no longer for its round";
    }

    public sealed record Dies(int Client) : Step
    {
        public override World Take(World world) => world.Crash(Client);

        public override string Tell(World world) => $"client {Client + 1} dies and comes back, remembering nothing";
    }

    /// <summary>A request arrives, and its reply at once or never.</summary>
    public sealed record IsAnswered(Packet Packet, bool ReplyIsLost, bool IsDoubled) : Step
    {
        public override World Take(World world) => world.Exchange(Packet, ReplyIsLost, IsDoubled);

        public override string Tell(World world)
        {
            var end = ReplyIsLost ? "and its reply is lost" : "and its reply arrives";
            return $"{Story.Name(Packet)} arrives{(IsDoubled ? " (it will come once more)" : "")}, {end}";
        }
    }

    /// <summary>A request or a reply arrives; replies take their time.</summary>
    public sealed record Arrives(Packet Packet, bool IsDoubled) : Step
    {
        public override World Take(World world) => world.Deliver(Packet, IsDoubled);

        public override string Tell(World world) =>
            $"{Story.Name(Packet)} arrives{(IsDoubled ? " (it will come once more)" : "")}";
    }

    /// <summary>A chosen value is copied to an acceptor that missed it (S14).</summary>
    public sealed record IsCopied(Proposal Chosen, int Acceptor) : Step
    {
        public override World Take(World world) => world.Repair(Acceptor, Chosen, world.ValueAt(Chosen)!);

        public override string Tell(World world) =>
            $"{Story.Name(Chosen.Version)}, chosen at {Story.Name(Chosen.Ballot)}, is copied to acceptor {Acceptor + 1}";
    }
}
