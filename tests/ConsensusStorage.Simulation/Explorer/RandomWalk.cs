using Orleans.Consensus.Simulation.Linearizability;

namespace Orleans.Consensus.Simulation.Explorer;

/// <summary>
/// One walk of a seed: messages in any order, lost, doubled; rounds given up; proposers that die; chosen values copied,
/// tombstones collected.
/// At the end all is well again, and everybody reads.
/// </summary>
internal sealed class RandomWalk
{
    private const int Operations = 4;

    private static readonly Moves Collecting = new() { Collections = 3, Floors = 2, Alone = 3 };

    private readonly Random _random;
    private readonly int _loss;
    private readonly int _double;
    private readonly int _giveUp;
    private readonly int _crash;
    private readonly int _copy;
    private readonly int _collect;
    private World _world;

    public RandomWalk(WorldRules rules, int seed, int clients)
    {
        _random = new(seed);
        (_copy, _collect) = (_random.Next(10), _random.Next(20));
        (_loss, _double, _giveUp, _crash) = (_random.Next(20), _random.Next(15), _random.Next(1, 8), _random.Next(3));
        var scripts = Enumerable.Range(0, clients).Select(_ => WorldRules.Script(RandomScript())).ToArray();
        var rounds = scripts.Select(_ => _random.Next(1, 4)).ToArray();
        var isClocked = _random.Next(2) == 0;
        _world = new(rules with { Scripts = [.. scripts], Rounds = [.. rounds], IsClocked = isClocked });
    }

    public World Run(int steps = 200)
    {
        for (var step = 0; step < steps; step++)
        {
            Step();
        }

        Heal();
        return _world;
    }

    private string RandomScript()
    {
        const string letters = "rwwwc";
        return new(Enumerable.Range(0, Operations).Select(_ => letters[_random.Next(letters.Length)]).ToArray());
    }

    private void Step()
    {
        var client = _random.Next(_world.Clients.Length);
        if (_world.CanInvoke(client) && Chance(40))
        {
            _world = _world.Invoke(client);
        }
        else if (_world.Clients[client].Round is not null && Chance(_giveUp))
        {
            _world = Chance(_crash * 8) ? _world.Crash(client) : _world.GiveUp(client);
        }
        else if (Chance(_copy))
        {
            Copy();
        }
        else if (Chance(_collect))
        {
            Collect();
        }
        else if (!_world.Packets.IsEmpty)
        {
            // Mostly what was sent lately, so that rounds come to an end; sometimes what is long forgotten.
            var newest = Chance(70) ? Math.Min(_world.Packets.Length, 8) : _world.Packets.Length;
            var packet = _world.Packets[_world.Packets.Length - 1 - _random.Next(newest)];
            _world = Chance(_loss)
                ? _world with { Packets = _world.Packets.Remove(packet) }
                : _world.Deliver(packet, duplicate: Chance(_double));
        }
    }

    private void Copy()
    {
        var told = _world.Ledger.Proposals.Select(proposal => _world.Look(proposal.Ballot)).OfType<Copy>().ToArray();
        if (told.Length > 0 && _world.Copies.Length < Operations && Chance(50))
        {
            _world = _world.Note(told[_random.Next(told.Length)]);
        }
        else if (_world.Copies.Length > 0)
        {
            var copy = _world.Copies[_random.Next(_world.Copies.Length)];
            _world = _world.Install(_random.Next(_world.Acceptors.Length), copy);
        }
    }

    private void Collect()
    {
        var steps = Collecting.Collecting(_world).ToArray();
        _world = steps.Length == 0 ? _world : steps[_random.Next(steps.Length)].Take(_world);
    }

    private void Heal()
    {
        for (var client = 0; client < _world.Clients.Length; client++)
        {
            while (_world.Clients[client].Round is not null)
            {
                _world = _world.GiveUp(client);
            }
        }

        for (var client = 0; client < _world.Clients.Length; client++)
        {
            _world = (_world with { Packets = [] }).Invoke(client, OperationKind.Read);
            for (var tries = 0; _world.Clients[client].Round is not null; tries++)
            {
                if (tries == 1_000)
                {
                    throw new WorldViolationException("A client alone with all acceptors up makes no progress.");
                }

                _world = _world.Packets.IsEmpty ? _world.GiveUp(client) : _world.Deliver(_world.Packets[0]);
            }
        }
    }

    private bool Chance(int percent) => _random.Next(100) < percent;
}
