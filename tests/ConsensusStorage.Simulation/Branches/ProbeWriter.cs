using Mono.Cecil;
using Mono.Cecil.Cil;
using Mono.Cecil.Rocks;

namespace Orleans.Consensus.Simulation.Branches;

/// <summary>
/// Writes a copy of an assembly that calls <see cref="Probes.Hit"/> wherever a branch begins. What the compiler adds
/// by itself, and what runs once for a process, is no branch.
/// </summary>
internal sealed class ProbeWriter : IDisposable
{
    private readonly AssemblyDefinition _assembly;
    private readonly MethodReference _hit;
    private readonly List<Branch> _branches = [];

    /// <param name="path">The assembly; its symbols are beside it.</param>
    /// <param name="isWanted">Whether the branches of a source file count.</param>
    public ProbeWriter(string path, Func<string, bool> isWanted)
    {
        _assembly = AssemblyDefinition.ReadAssembly(path, new() { ReadSymbols = true });
        _hit = _assembly.MainModule.ImportReference(typeof(Probes).GetMethod(nameof(Probes.Hit)));
        var types = _assembly.MainModule.GetTypes().ToList();
        var once = types.SelectMany(type => type.Methods).Where(method => method.IsConstructor && method.IsStatic)
            .SelectMany(method => method.Body.Instructions)
            .Where(instruction => instruction.OpCode == OpCodes.Ldftn)
            .Select(instruction => ((MethodReference)instruction.Operand).Resolve())
            .ToHashSet();
        foreach (var method in types.SelectMany(type => type.Methods).Where(method => !once.Contains(method)))
        {
            if (MethodSource.Of(method) is { } source && isWanted(source.File))
            {
                Probe(method.Body, source);
            }
        }
    }

    public IReadOnlyList<Branch> Branches => _branches;

    public MemoryStream Write()
    {
        var stream = new MemoryStream();
        _assembly.Write(stream);
        stream.Position = 0;
        return stream;
    }

    public void Dispose() => _assembly.Dispose();

    private void Probe(MethodBody body, MethodSource source)
    {
        body.SimplifyMacros();
        var decisions = body.Instructions.Select(source.DecisionAt).OfType<Decision>().ToList();
        var handlers = body.ExceptionHandlers.Select(handler => (handler, source.Entry(handler))).ToList();
        if (source.Entry() is { } entry)
        {
            Insert(body, body.Instructions[0], Probe(entry));
        }

        foreach (var (handler, branch) in handlers)
        {
            if (branch is not null)
            {
                Probe(body, handler, branch);
            }
        }

        decisions.ForEach(decision => Probe(body, decision));
        body.OptimizeMacros();
    }

    private void Probe(MethodBody body, ExceptionHandler probed, Branch branch)
    {
        var (old, probe) = (probed.HandlerStart, Probe(branch));
        Insert(body, old, probe);
        foreach (var handler in body.ExceptionHandlers)
        {
            handler.TryEnd = handler.TryEnd == old ? probe[0] : handler.TryEnd;
            handler.HandlerStart = handler.HandlerStart == old ? probe[0] : handler.HandlerStart;
            handler.HandlerEnd = handler.HandlerEnd == old ? probe[0] : handler.HandlerEnd;
        }
    }

    /// <summary>Each target gets a landing of its own, right behind the instruction that jumps.</summary>
    private void Probe(MethodBody body, Decision decision)
    {
        var landings = new Dictionary<Instruction, Instruction>();
        foreach (var (target, branch) in decision.Sides)
        {
            Instruction[] landing = [.. Probe(branch), Instruction.Create(OpCodes.Br, target)];
            Insert(body, decision.Next, landing);
            landings[target] = landing[0];
        }

        decision.Jump.Operand = decision.Jump.Operand is Instruction[] targets
            ? targets.Select(target => landings[target]).ToArray()
            : landings[(Instruction)decision.Jump.Operand];
    }

    private Instruction[] Probe(Branch branch)
    {
        _branches.Add(branch);
        return [Instruction.Create(OpCodes.Ldc_I4, _branches.Count - 1), Instruction.Create(OpCodes.Call, _hit)];
    }

    private static void Insert(MethodBody body, Instruction before, Instruction[] instructions)
    {
        var processor = body.GetILProcessor();
        foreach (var instruction in instructions)
        {
            processor.InsertBefore(before, instruction);
        }
    }
}
