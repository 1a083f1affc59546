using Orleans.Consensus.Paxos;

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

    /// <summary>A quorum tells a chosen value to who will copy it.</summary>
    public sealed record IsNoted(Copy Copy) : Step
    {
        public override World Take(World world) => world.Note(Copy);

        public override string Tell(World world) =>
            $"a copy of {Story.Name(Copy.Value)}, chosen at {Story.Name(Copy.At)}, is made; horizons are up to "
            + Story.Name(Copy.Seen);
    }

    /// <summary>It arrives at an acceptor that missed it (S14).</summary>
    public sealed record IsCopied(Copy Copy, int Acceptor) : Step
    {
        public override World Take(World world) => world.Install(Acceptor, Copy);

        public override string Tell(World world) =>
            $"the copy of {Story.Name(Copy.Value)} at {Story.Name(Copy.At)} arrives at acceptor {Acceptor + 1}";
    }

    /// <summary>A tombstone is reported (S12 a).</summary>
    public sealed record Reports(int Acceptor) : Step
    {
        public override World Take(World world) => world.Report(Acceptor);

        public override string Tell(World world) =>
            $"acceptor {Acceptor + 1} reports a tombstone at {Story.Name(world.Acceptors[Acceptor].Accepted)}, horizon "
            + Story.Name(world.Floors[Acceptor].Horizon);
    }

    /// <summary>Other registers need a higher floor.</summary>
    public sealed record FloorIsWanted : Step
    {
        public override World Take(World world) => world.OrderForOthers();

        public override string Tell(World world) => "a higher floor is wanted for the sake of other registers";
    }

    /// <summary>An acceptor raises its floor alone (S11).</summary>
    public sealed record RaisesAlone(int Acceptor, Ballot To) : Step
    {
        public override World Take(World world) => world.RaiseAlone(Acceptor, To);

        public override string Tell(World world) =>
            $"acceptor {Acceptor + 1} raises its floor to {Story.Name(To)} of its own accord, not its horizon";
    }

    /// <summary>Floor and horizon are raised (S12 b).</summary>
    public sealed record Raises(int Acceptor, Order Order) : Step
    {
        public override World Take(World world) => world.Raise(Acceptor, Order);

        public override string Tell(World world) =>
            $"acceptor {Acceptor + 1} raises its floor and its horizon to {Story.Name(Order.Floor)}";
    }

    /// <summary>A tombstone is dropped (S12 c).</summary>
    public sealed record Drops(int Acceptor, Order Order) : Step
    {
        public override World Take(World world) => world.Drop(Acceptor, Order);

        public override string Tell(World world) =>
            $"acceptor {Acceptor + 1} drops its tombstone at {Story.Name(Order.Accepted)}";
    }
}
