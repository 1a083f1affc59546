using System.Collections.Immutable;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Simulation.Linearizability;

namespace Orleans.Consensus.Simulation.Explorer;

/// <summary>
/// A 64-bit name of all that matters of a world for its future and its checks. Ballots count by their rank only,
/// acceptors are interchangeable, and moments by their order only, so that worlds that differ in nothing else are one.
/// </summary>
internal readonly ref struct WorldKey
{
    private readonly World _world;
    private readonly List<Ballot> _ranks;

    private WorldKey(World world)
    {
        _world = world;
        _ranks = new(48);
        Collect();
        _ranks.Sort();
        RemoveDoubles();
    }

    public static ulong Of(World world)
    {
        var key = new WorldKey(world);
        Span<ulong> columns = stackalloc ulong[world.Acceptors.Length];
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

        return hash;
    }

    private void Collect()
    {
        foreach (var state in _world.Acceptors)
        {
            _ranks.Add(state.Promised);
            _ranks.Add(state.Accepted);
        }

        foreach (var proposal in _world.Ledger.Proposals)
        {
            _ranks.Add(proposal.Ballot);
        }

        foreach (var packet in _world.Packets)
        {
            _ranks.Add(packet.Request?.Ballot ?? packet.Reply!.Ballot);
            _ranks.Add(packet.Request is Accept accept ? accept.Next : Ballot.None);
        }

        foreach (var client in _world.Clients)
        {
            _ranks.Add(client.Cached?.Ballot ?? Ballot.None);
            _ranks.Add(client.Round?.Start.Ballot ?? Ballot.None);
            _ranks.Add(client.Round?.Start.Next ?? Ballot.None);
        }
    }

    private void RemoveDoubles()
    {
        var kept = 0;
        for (var i = 0; i < _ranks.Count; i++)
        {
            if (kept == 0 || _ranks[kept - 1] != _ranks[i])
            {
                _ranks[kept++] = _ranks[i];
            }
        }

        _ranks.RemoveRange(kept, _ranks.Count - kept);
    }

    private ulong Rank(Ballot ballot) => (ulong)_ranks.BinarySearch(ballot);

    private ulong Column(int acceptor)
    {
        var state = _world.Acceptors[acceptor];
        var hash = Mix(Mix(Mix(1, Rank(state.Promised)), Rank(state.Accepted)), Name(state.Value?.Version));
        foreach (var client in _world.Clients)
        {
            var votes = client.Round switch
            {
                Round.Preparing preparing => preparing.Votes,
                Round.Accepting accepting => accepting.Votes,
                _ => default,
            };
            hash = Mix(hash, ((votes.Yes >> acceptor) & 1) | (((votes.No >> acceptor) & 1) << 1));
        }

        var packets = 0UL;
        foreach (var packet in _world.Packets)
        {
            packets += packet.Acceptor == acceptor ? Of(packet) : 0;
        }

        var takes = 0UL;
        foreach (var proposal in _world.Ledger.Proposals)
        {
            takes += ((proposal.Takers >> acceptor) & 1) != 0 ? Mix(2, Rank(proposal.Ballot)) : 0;
        }

        return Mix(Mix(hash, packets), takes);
    }

    private ulong Of(Packet packet)
    {
        var hash = Mix(Mix(3, (ulong)packet.Client), (ulong)packet.Life);
        hash = Mix(hash, Rank(packet.Request?.Ballot ?? packet.Reply!.Ballot));
        return packet.Request switch
        {
            Accept accept => Mix(Mix(hash, Name(accept.Value.Version)), Rank(accept.Next)),
            Prepare => Mix(hash, 4),
            _ => throw new NotSupportedException("Replies arrive at once or never in an exhaustive walk."),
        };
    }

    private ulong Shared()
    {
        var hash = 5UL;
        foreach (var client in _world.Clients)
        {
            hash = Mix(hash, Of(client));
        }

        var proposals = 0UL;
        foreach (var proposal in _world.Ledger.Proposals)
        {
            proposals += Mix(Mix(Rank(proposal.Ballot), Name(proposal.Version)), Rank(proposal.Source));
        }

        var dead = 0UL;
        foreach (var version in _world.Ledger.Dead)
        {
            dead += Name(version);
        }

        return Mix(Mix(Mix(hash, proposals), dead), OfHistory(_world.History));
    }

    private ulong Of(Client client)
    {
        var hash = Mix(Mix(Mix(6, (ulong)client.Life), (ulong)client.Begun), (ulong)client.RoundsLeft);
        hash = Mix(Mix(hash, Name(client.Etag)), Of(client.Doubt));
        hash = client.Cached is { } cached
            ? Mix(Mix(Mix(hash, Rank(cached.Ballot)), Name(cached.Current?.Version)), Rank(client.CachedAt))
            : hash;
        return client.Round switch
        {
            Round.Preparing p => Mix(
                Mix(Mix(Mix(Mix(hash, 7), Rank(p.Start.Ballot)), Rank(p.Accepted)), p.Uniform ? 1UL : 0),
                Of(p.ChangeAfter)),
            Round.Accepting a => Mix(
                Mix(Mix(Mix(hash, 8), Rank(a.At)), Name(a.Value.Version)), Of(a.ChangeAfter)),
            _ => hash,
        };
    }

    private static ulong Of(Change change) => Mix(Name(change.Version), Of(change.InDoubt));

    private static ulong Of(InDoubt doubt)
    {
        var hash = doubt.Binding is { } binding ? Mix(9, Name(binding.Tombstone)) : 10UL;
        foreach (var version in doubt.Versions)
        {
            hash = Mix(hash, Name(version));
        }

        return hash;
    }

    private static ulong OfHistory(ImmutableArray<Operation> history)
    {
        var sum = 0UL;
        foreach (var operation in history)
        {
            var before = 0UL;
            foreach (var other in history)
            {
                before += other.Returned < operation.Invoked ? Name(other.Version) : 0;
            }

            var hash = Mix(Mix(11, Name(operation.Version)), Name(operation.Seen));
            sum += Mix(Mix(hash, before), (ulong)operation.Ending | (operation.Returned == Operation.Open ? 8UL : 0));
        }

        return sum;
    }

    private static ulong Name(RegisterVersion? version) =>
        version is { } known ? Mix((ulong)known.Writer.Value, known.Sequence) : 12;

    private static ulong Mix(ulong hash, ulong value)
    {
        var mixed = (hash * 0x9E3779B97F4A7C15) ^ (value + 0xD1B54A32D192ED03);
        mixed = (mixed ^ (mixed >> 29)) * 0xBF58476D1CE4E5B9;
        return mixed ^ (mixed >> 32);
    }
}
