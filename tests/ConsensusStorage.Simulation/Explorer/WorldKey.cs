using System.Collections.Immutable;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Simulation.Linearizability;

namespace Orleans.Consensus.Simulation.Explorer;

/// <summary>
/// A 128-bit name of all that matters of a world for its future and its checks. Acceptors are interchangeable, moments
/// count by their order only and, where rounds follow a common clock, so do ballots: worlds that differ in nothing else
/// are one.
/// </summary>
internal readonly ref struct WorldKey
{
    private static readonly UInt128 Multiplier = new(0x9E3779B97F4A7C15, 0xD1B54A32D192ED03);

    private readonly World _world;

    /// <summary>All ballots in the world in ascending order, each once.</summary>
    private readonly ReadOnlySpan<ulong> _ranks;

    private WorldKey(World world, Span<ulong> ranks)
    {
        _world = world;
        _ranks = ranks[..Collect(world, ranks)];
    }

    public static UInt128 Of(World world)
    {
        var room = (6 * world.Acceptors.Length) + world.Ledger.Proposals.Length + (4 * world.Packets.Length)
            + (6 * world.Clients.Length) + (2 * world.Collector.Orders.Length) + (2 * world.Copies.Length);
        var key = new WorldKey(world, stackalloc ulong[room]);
        Span<UInt128> columns = stackalloc UInt128[world.Acceptors.Length];
        for (var acceptor = 0; acceptor < columns.Length; acceptor++)
        {
            columns[acceptor] = key.Column(acceptor);
        }

        columns.Sort();
        var hash = key.Shared();
        foreach (var column in columns)
        {
            hash = Mix(hash, column);
        }

        return Mix(hash, 0);
    }

    private static int Collect(World world, Span<ulong> ranks)
    {
        var count = 0;
        foreach (var state in world.Acceptors)
        {
            ranks[count++] = Number(state.Promised);
            ranks[count++] = Number(state.Accepted);
        }

        count = CollectUpkeep(world, ranks, count);

        foreach (var proposal in world.Ledger.Proposals)
        {
            ranks[count++] = Number(proposal.Ballot);
        }

        foreach (var packet in world.Packets)
        {
            ranks[count++] = Number(BallotOf(packet));
            ranks[count++] = Number(packet.Request is Accept accept ? accept.Next : Ballot.None);
            ranks[count++] = Number(packet.Reply is Promise promise ? promise.Accepted : Ballot.None);
            ranks[count++] = Number(packet.Reply is Promise absence ? absence.Horizon : Ballot.None);
        }

        foreach (var client in world.Clients)
        {
            ranks[count++] = Number(client.Cached?.Ballot ?? Ballot.None);
            ranks[count++] = Number(client.Round?.Start.Ballot ?? Ballot.None);
            ranks[count++] = Number(client.Round?.Start.Next ?? Ballot.None);
            ranks[count++] = Number(client.Round is Round.Preparing preparing ? preparing.Farthest : Ballot.None);
            ranks[count++] = Number(client.Doubt.Binding?.Horizon);
            ranks[count++] = Number(client.Round?.ChangeAfter.InDoubt.Binding?.Horizon);
        }

        ranks[..count].Sort();
        return RemoveDoubles(ranks[..count]);
    }

    private static int CollectUpkeep(World world, Span<ulong> ranks, int count)
    {
        for (var acceptor = 0; acceptor < world.Acceptors.Length; acceptor++)
        {
            ranks[count++] = Number(world.Floors[acceptor].Floor);
            ranks[count++] = Number(world.Floors[acceptor].Horizon);
            ranks[count++] = Number(world.Collector.Reports[acceptor]?.Accepted ?? Ballot.None);
            ranks[count++] = Number(world.Collector.Reports[acceptor]?.Horizon ?? Ballot.None);
        }

        foreach (var order in world.Collector.Orders)
        {
            ranks[count++] = Number(order.Accepted);
            ranks[count++] = Number(order.Floor);
        }

        foreach (var copy in world.Copies)
        {
            ranks[count++] = Number(copy.At);
            ranks[count++] = Number(copy.Seen);
        }

        return count;
    }

    private static int RemoveDoubles(Span<ulong> sorted)
    {
        var kept = 0;
        foreach (var number in sorted)
        {
            if (kept == 0 || sorted[kept - 1] != number)
            {
                sorted[kept++] = number;
            }
        }

        return kept;
    }

    /// <summary>In the order of the ballots.</summary>
    private static ulong Number(Ballot ballot) => ((ulong)ballot.Round << 16) | (ulong)ballot.Proposer.Value;

    private static ulong Number(Horizon? horizon) =>
        horizon is { } known ? Number(new Ballot(known.Round, known.By)) : 0;

    private static Ballot BallotOf(Packet packet) => packet.Request?.Ballot ?? packet.Reply!.Ballot;

    private ulong Rank(Ballot ballot) =>
        _world.Rules.IsClocked ? (ulong)_ranks.BinarySearch(Number(ballot)) : Number(ballot);

    private ulong Rank(Horizon horizon) => Rank(new Ballot(horizon.Round, horizon.By));

    private UInt128 Column(int acceptor)
    {
        var state = _world.Acceptors[acceptor];
        var hash = Mix(Mix(Mix(1, Rank(state.Promised)), Rank(state.Accepted)), Name(state.Value?.Version));
        hash = Mix(Mix(hash, Rank(_world.Floors[acceptor].Floor)), Rank(_world.Floors[acceptor].Horizon));
        hash = _world.Collector.Reports[acceptor] is { } report
            ? Mix(Mix(Mix(hash, Rank(report.Accepted)), Name(report.Tombstone)), Rank(report.Horizon))
            : hash;
        foreach (var client in _world.Clients)
        {
            var (votes, held, refusals) = client.Round switch
            {
                Round.Preparing preparing => (preparing.Votes, preparing.Held, 0u),
                Round.Accepting accepting => (accepting.Votes, accepting.Held, accepting.Refusals),
                _ => (default, [], 0u),
            };
            hash = Mix(
                hash,
                ((votes.Yes >> acceptor) & 1) | (((votes.No >> acceptor) & 1) << 1)
                | (((refusals >> acceptor) & 1) << 2));

            // Where rounds follow a clock, the next one is above all others, whatever was refused.
            hash = _world.Rules.IsClocked || acceptor >= held.Length ? hash : Mix(hash, Number(held[acceptor]));
        }

        var packets = UInt128.Zero;
        foreach (var packet in _world.Packets)
        {
            packets += packet.Acceptor == acceptor ? Of(packet) : 0;
        }

        var takes = UInt128.Zero;
        foreach (var proposal in _world.Ledger.Proposals)
        {
            takes += ((proposal.Takers >> acceptor) & 1) != 0 ? Mix(2, Rank(proposal.Ballot)) : 0;
        }

        return Mix(Mix(hash, packets), takes);
    }

    private UInt128 Of(Packet packet)
    {
        var hash = Mix(Mix(packet.IsCopy ? (UInt128)18 : 3, (ulong)packet.Client), (ulong)packet.Life);
        hash = Mix(hash, Rank(BallotOf(packet)));
        return packet switch
        {
            { Request: Accept accept } => Mix(Mix(Mix(hash, 1), Name(accept.Value.Version)), Rank(accept.Next)),
            { Request: Prepare prepare } => Mix(hash, prepare.WantPayload ? 2UL : 3UL),
            { Reply: Promise promise } => Mix(
                Mix(Mix(hash, promise.Value?.Payload == Payload.Omitted ? 4UL : 5UL), Name(promise.Value?.Version)),
                Mix(Rank(promise.Accepted), Rank(promise.Horizon))),
            { Reply: Accepted } => Mix(hash, 6),
            { Reply: Conflict conflict } => Mix(
                Mix(hash, conflict.Phase == Phase.Prepare ? 7UL : 8UL),
                _world.Rules.IsClocked ? 0 : Number(conflict.ToBeat)),
            { Reply: NoAnswer none } => Mix(hash, none.Phase == Phase.Prepare ? 9UL : 10UL),
            _ => throw new NotSupportedException($"{packet}"),
        };
    }

    private UInt128 Shared()
    {
        var hash = Mix(Mix(5, (ulong)_world.Doubled), (ulong)_world.Collector.Begun);
        hash = Mix(Mix(hash, (ulong)_world.Collector.ForOthers), (ulong)_world.RaisedAlone);
        foreach (var client in _world.Clients)
        {
            hash = Mix(hash, Of(client));
        }

        var proposals = UInt128.Zero;
        foreach (var proposal in _world.Ledger.Proposals)
        {
            proposals += Mix(
                Mix(Mix(proposal.IsRuledOut ? (UInt128)19 : 4, Rank(proposal.Ballot)), Name(proposal.Version)),
                Rank(proposal.Source));
        }

        var dead = UInt128.Zero;
        foreach (var version in _world.Ledger.Dead)
        {
            dead += Mix(14, Name(version));
        }

        return Mix(Mix(Mix(Mix(hash, proposals), dead), OfUpkeep()), OfHistory(_world.History));
    }

    private UInt128 OfUpkeep()
    {
        var sum = UInt128.Zero;
        foreach (var order in _world.Collector.Orders)
        {
            sum += Mix(Mix(Mix(15, Rank(order.Accepted)), Name(order.Tombstone)), Rank(order.Floor));
        }

        foreach (var copy in _world.Copies)
        {
            sum += Mix(Mix(Mix(16, Rank(copy.At)), Name(copy.Value.Version)), Rank(copy.Seen));
        }

        foreach (var ballot in _world.Ledger.Dropped)
        {
            sum += Mix(17, Rank(ballot));
        }

        return sum;
    }

    private UInt128 Of(Client client)
    {
        var hash = Mix(Mix(Mix(6, (ulong)client.Life), (ulong)client.Begun), (ulong)client.RoundsLeft);
        hash = Mix(Mix(hash, Name(client.Etag)), Of(client.Doubt));
        hash = _world.Rules.IsClocked ? hash : Mix(hash, (ulong)client.LastRound);
        hash = client.Cached is { } cached
            ? Mix(
                Mix(Mix(hash, Rank(cached.Ballot)), Name(cached.Current?.Version)),
                Rank(client.CachedAt))
            : hash;
        hash = Mix(hash, client.Round is not null && client.WantPayload ? 1UL : 0);
        return client.Round switch
        {
            Round.Preparing p => Mix(
                Mix(Mix(Mix(Mix(hash, 7), Rank(p.Start.Ballot)), Rank(p.Accepted)), p.Uniform ? 1UL : 0),
                Mix(Of(p.ChangeAfter), Rank(p.Farthest))),
            Round.Accepting a => Mix(
                Mix(
                    Mix(Mix(Mix(hash, a.OneRoundTrip ? 8UL : 20UL), Rank(a.At)), Rank(a.Start.Next)),
                    Name(a.Value.Version)),
                Of(a.After)),
            _ => hash,
        };
    }

    private UInt128 Of(Change change) => Mix(Of(change.InDoubt), Name(change.Version));

    private UInt128 Of(InDoubt doubt)
    {
        var hash = doubt.Binding is { } binding
            ? Mix(Mix(9, Name(binding.Tombstone)), Rank(binding.Horizon))
            : 10;
        foreach (var version in doubt.Versions)
        {
            hash = Mix(hash, Name(version));
        }

        return hash;
    }

    private static UInt128 OfHistory(ImmutableArray<Operation> history)
    {
        var sum = UInt128.Zero;
        foreach (var operation in history)
        {
            var before = UInt128.Zero;
            foreach (var other in history)
            {
                before += other.Returned < operation.Invoked ? Mix(13, Name(other.Version)) : 0;
            }

            var hash = Mix(Mix(Mix(11, Name(operation.Version)), Name(operation.Seen)), Name(operation.Expected));
            hash = Mix(hash, (ulong)operation.Ending | (operation.Returned == Operation.Open ? 8UL : 0));
            sum += Mix(hash, before);
        }

        return sum;
    }

    /// <summary>Versions are numbered within each life of a client, so that it is one number.</summary>
    private static ulong Name(RegisterVersion? version) =>
        version is { } known ? ((ulong)known.Writer.Value << 32) | known.Sequence : 0;

    private static UInt128 Mix(UInt128 hash, UInt128 value)
    {
        var mixed = (hash ^ (value + 0xBF58476D1CE4E5B9)) * Multiplier;
        return mixed ^ (mixed >> 71);
    }
}
