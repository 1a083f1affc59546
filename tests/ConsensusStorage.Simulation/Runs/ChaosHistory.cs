using Orleans.Consensus.Simulation.Clusters;
using Orleans.Consensus.Simulation.Kernel;
using Orleans.Consensus.Simulation.Linearizability;

namespace Orleans.Consensus.Simulation.Runs;

/// <summary>What all clients of a run did to each register and what they were told, in real-time order.</summary>
internal sealed class ChaosHistory
{
    /// <summary>The checker takes 64; some count twice, and reads at the end come on top.</summary>
    private const int MaxOperations = 38;

    private readonly Dictionary<string, List<Operation>> _registers = [];
    private int _now;

    /// <summary>What was found wrong while the run went on.</summary>
    public List<string> Problems { get; } = [];

    public IEnumerable<Operation> All => _registers.Values.SelectMany(operations => operations);

    /// <summary>The next moment.</summary>
    public int Tick() => ++_now;

    public bool IsFull(string key) => Of(key).Count >= MaxOperations;

    /// <summary>Notes the beginning of an operation and returns its number.</summary>
    public int Begin(string key, Operation operation)
    {
        Of(key).Add(operation);
        return Of(key).Count - 1;
    }

    public Operation this[string key, int number]
    {
        get => Of(key)[number];
        set => Of(key)[number] = value;
    }

    /// <summary>A version that was current once, for a client that is out of date.</summary>
    public RegisterVersion? AnyVersion(string key, Random random)
    {
        var applied = Of(key).Where(operation => operation.Ending == Ending.Applied).ToList();
        return applied.Count == 0 ? null : applied[random.Next(applied.Count)].Version;
    }

    /// <summary>Every register's history has to make sense.</summary>
    public void Check()
    {
        foreach (var (key, operations) in _registers)
        {
            if (!HistoryChecker.IsLinearizable(Relevant(operations)))
            {
                Problems.Add($"Register {key} is not linearizable:\n  {string.Join("\n  ", operations)}");
            }
        }
    }

    /// <summary>
    /// Leaves out writes that may have happened but left no trace: nobody saw them, and nobody built upon them. Without
    /// them the other operations have an order exactly if they have one with them. (An absence that somebody saw may
    /// be any clear's trace.)
    /// </summary>
    private static List<Operation> Relevant(List<Operation> operations)
    {
        var rest = operations.Where(operation => operation.Ending != Ending.Never).ToList();
        while (true)
        {
            var traces = rest.SelectMany(Traces).ToHashSet();
            if (rest.RemoveAll(one => IsPossibleWrite(one) && !traces.Contains(one.Version)) == 0)
            {
                return rest;
            }
        }
    }

    private static bool IsPossibleWrite(Operation operation) =>
        operation is { Kind: OperationKind.Write, Ending: Ending.Maybe };

    private static IEnumerable<RegisterVersion> Traces(Operation operation) =>
        new[] { operation.Seen, operation.Kind == OperationKind.Read ? null : operation.Expected }
            .OfType<RegisterVersion>()
            .Concat(operation.Kind == OperationKind.Read ? [] : operation.Doubts);

    private List<Operation> Of(string key)
    {
        if (!_registers.TryGetValue(key, out var operations))
        {
            _registers.Add(key, operations = []);
        }

        return operations;
    }
}
