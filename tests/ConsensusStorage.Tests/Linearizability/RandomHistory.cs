using Orleans.Consensus.Simulation.Linearizability;
using static Orleans.Consensus.Tests.Paxos.Examples;

namespace Orleans.Consensus.Tests.Linearizability;

/// <summary>
/// A small history of a seed. First a register serves a few operations one after the other, each somewhere between its
/// beginning and its end; then, in three of four, a few of them are told something else.
/// </summary>
internal sealed class RandomHistory(int seed)
{
    private const int MaxOperations = 6;

    private readonly Random _random = new(seed);
    private readonly List<Operation> _operations = [];
    private RegisterModel _model;

    public List<Operation> Make()
    {
        var count = _random.Next(1, MaxOperations + 1);
        var moments = Moments(count);
        for (var i = 0; i < count; i++)
        {
            _operations.Add(Serve(moments[i].Invoked, moments[i].Returned));
        }

        for (var lies = _random.Next(4) == 0 ? 0 : _random.Next(1, 4); lies > 0; lies--)
        {
            Lie(_random.Next(count));
        }

        return _operations;
    }

    /// <summary>Beginnings and ends around what happens at 0, 1, 2 and so on; no two moments are the same.</summary>
    private (int Invoked, int Returned)[] Moments(int count)
    {
        var reach = _random.Next(1, 4);
        var times = Enumerable.Range(0, count)
            .SelectMany(i => (double[])[i - (reach * _random.NextDouble()), i + (reach * _random.NextDouble())])
            .ToArray();
        var order = times.Order().ToArray();
        return [.. Enumerable.Range(0, count).Select(i => (
            Array.IndexOf(order, times[2 * i]), Array.IndexOf(order, times[(2 * i) + 1])))];
    }

    private Operation Serve(int invoked, int returned)
    {
        var kind = (OperationKind)_random.Next(3);
        var doubt = Chance(50) ? AnyVersion() : _model.Last;
        var doubts = Chance(25) && doubt is { } version ? (RegisterVersion[])[version] : [];
        var expected = kind == OperationKind.Read ? null : Chance(65) ? _model.Visible : AnyVersion();
        var operation = new Operation(kind, V((ulong)_operations.Count + 1), expected, [.. doubts], invoked, returned);
        return kind == OperationKind.Read ? Read(operation) : Change(operation);
    }

    private Operation Read(Operation operation) =>
        Chance(10) ? operation : operation with { Ending = Ending.Found, Seen = _model.Visible };

    private Operation Change(Operation operation)
    {
        if (Chance(5))
        {
            return operation with { Ending = Ending.Never };
        }

        // Nobody can tell that it was the own clear once it is forgotten which one it was (S12).
        if (!_model.IsLive && operation.Expected is not null && operation.Doubts is not [] && Chance(50))
        {
            return operation with { Ending = Ending.Stale, Seen = null };
        }

        Ending ending;
        if (_model.After(operation) is { } after)
        {
            ending = Chance(55) ? Ending.Applied : Chance(40) ? Ending.StaleAfterDoubt : Ending.Maybe;
            _model = ending == Ending.Applied || Chance(60) ? after : _model;
        }
        else
        {
            ending = Chance(60) ? Ending.Stale : Chance(50) ? Ending.StaleAfterDoubt : Ending.Maybe;
        }

        return ending switch
        {
            Ending.Applied => operation with { Ending = ending },
            Ending.Maybe => operation with { Returned = Chance(50) ? Operation.Open : operation.Returned },
            _ => operation with { Ending = ending, Seen = _model.Visible },
        };
    }

    private void Lie(int index)
    {
        var operation = _operations[index];
        var other = _random.Next(_operations.Count);
        _operations[index] = _random.Next(6) switch
        {
            0 when operation.Ending is Ending.Found or Ending.Stale or Ending.StaleAfterDoubt =>
                operation with { Seen = AnyVersion() },
            1 when operation.Kind != OperationKind.Read => operation with { Expected = AnyVersion() },
            2 when operation.Ending == Ending.Maybe && operation.Kind != OperationKind.Read =>
                operation with { Ending = Ending.Applied },
            3 when operation.Ending == Ending.Applied => operation with { Ending = Ending.Never },
            4 when operation.Ending == Ending.Applied => operation with { Ending = Ending.Stale, Seen = null },
            _ => operation with { Invoked = _operations[other].Invoked, Returned = _operations[other].Returned },
        };
        if (_operations[index].Invoked != operation.Invoked)
        {
            _operations[other] = _operations[other] with
            {
                Invoked = operation.Invoked,
                Returned = operation.Returned,
            };
        }
    }

    private RegisterVersion? AnyVersion() =>
        _operations.Count == 0 || Chance(30) ? null : _operations[_random.Next(_operations.Count)].Version;

    private bool Chance(int percent) => _random.Next(100) < percent;
}
