using Orleans.Consensus.Simulation.Linearizability;

namespace Orleans.Consensus.Simulation.Explorer;

/// <summary>
/// One walk of a seed: messages in any order, lost, doubled; rounds given up; proposers that die; chosen values copied.
/// At the end all is well again, and everybody reads.
/// </summary>
internal sealed class RandomWalk
{
    private const int Operations = 4;

    private readonly Random _random;
    private readonly int _loss;
    private readonly int _double;
    private readonly int _giveUp;
    private readonly int _crash;
    private readonly int _repair;
    private World _world;

    public RandomWalk(WorldRules rules, int seed, int clients)
    {
        _random = new(seed);
        _repair = _random.Next(10);
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
        else if (Chance(_repair))
        {
            Repair();
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

    private void Repair()
    {
        var chosen = _world.Ledger.Proposals.Where(_world.Ledger.IsChosen).ToArray();
        if (chosen.Length == 0)
        {
            return;
        }

        var proposal = chosen[_random.Next(chosen.Length)];
        if (_world.ValueAt(proposal) is { } value)
        {
            _world = _world.Repair(_random.Next(_world.Acceptors.Length), proposal, value);
        }
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
