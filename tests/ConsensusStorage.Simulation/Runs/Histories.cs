using Orleans.Consensus.Simulation.Linearizability;

namespace Orleans.Consensus.Simulation.Runs;

/// <summary>What all clients of a run did to each register and what they were told, in real-time order.</summary>
internal sealed class Histories
{
    private readonly List<Operation>[] _registers;
    private readonly int[] _capacities;
    private int _now;

    public Histories(IEnumerable<int> capacities)
    {
        _capacities = [.. capacities];
        _registers = [.. _capacities.Select(_ => new List<Operation>())];
    }

    public int Registers => _registers.Length;

    public int Count { get; private set; }

    public IEnumerable<Operation> All => _registers.SelectMany(operations => operations);

    /// <summary>The next moment.</summary>
    public int Tick() => ++_now;

    public bool IsFull(int register) => _registers[register].Count >= _capacities[register];

    /// <summary>Notes the beginning of an operation and returns its number.</summary>
    public int Begin(int register, Operation operation)
    {
        Count++;
        _registers[register].Add(operation);
        return _registers[register].Count - 1;
    }

    public Operation this[int register, int number]
    {
        get => _registers[register][number];
        set => _registers[register][number] = value;
    }

    public IReadOnlyList<Operation> Of(int register) => _registers[register];

    /// <summary>A version that was current once, for a client that is out of date.</summary>
    public RegisterVersion? AnyVersion(int register, Random random)
    {
        var operations = _registers[register];
        for (var tries = 0; tries < 4 && operations.Count > 0; tries++)
        {
            var operation = operations[random.Next(operations.Count)];
            if (operation.Ending == Ending.Applied)
            {
                return operation.Version;
            }
        }

        return null;
    }

    /// <summary>Every register's history has to make sense.</summary>
    /// <returns>The first register whose history does not, or null.</returns>
    public int? FindUnexplained()
    {
        for (var register = 0; register < _registers.Length; register++)
        {
            if (!HistoryChecker.IsLinearizable(Relevant(_registers[register])))
            {
                return register;
            }
        }

        return null;
    }

    /// <summary>
    /// Leaves out writes that may have happened but left no trace: nobody saw them, and nobody built upon them. Without
    /// them the other operations have an order exactly if they have one with them. (An absence that somebody saw may
    /// be any clear's trace.)
    /// </summary>
    public static List<Operation> Relevant(IReadOnlyList<Operation> operations)
    {
        var rest = operations.Where(operation => operation.Ending != Ending.Never).ToList();
        var traces = new HashSet<RegisterVersion>();
        do
        {
            traces.Clear();
            foreach (var operation in rest)
            {
                AddTraces(operation, traces);
            }
        }
        while (rest.RemoveAll(one => IsPossibleWrite(one) && !traces.Contains(one.Version)) > 0);

        return rest;
    }

    private static bool IsPossibleWrite(Operation operation) =>
        operation is { Kind: OperationKind.Write, Ending: Ending.Maybe };

    private static void AddTraces(Operation operation, HashSet<RegisterVersion> traces)
    {
        if (operation.Seen is { } seen)
        {
            traces.Add(seen);
        }

        if (operation.Kind == OperationKind.Read)
        {
            return;
        }

        if (operation.Expected is { } expected)
        {
            traces.Add(expected);
        }

        traces.UnionWith(operation.Doubts);
    }
}
