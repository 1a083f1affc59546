using System.Diagnostics;
using System.Text.RegularExpressions;
using Mono.Cecil;
using Mono.Cecil.Cil;

namespace Orleans.Consensus.Simulation.Branches;

/// <summary>A jump and where it leads.</summary>
/// <param name="Next">Where it goes on without a jump; it is the first target.</param>
internal sealed record Decision(
    Instruction Jump, Instruction Next, IReadOnlyList<(Instruction Target, Branch Branch)> Sides);

/// <summary>Finds in the source what the instructions of a method mean.</summary>
internal sealed partial class MethodSource
{
    private static readonly Dictionary<string, string[]> Texts = [];

    private readonly MethodDefinition _method;
    private readonly List<SequencePoint> _points;
    private readonly string _name;

    private MethodSource(MethodDefinition method, List<SequencePoint> points)
    {
        (_method, _points) = (method, points);
        File = points.First(point => !point.IsHidden).Document.Url;
        var owner = method.DeclaringType;
        var name = method.Name == "MoveNext" ? owner.Name : method.Name;
        while (owner.Name.Contains('<') && owner.DeclaringType is { } outer)
        {
            owner = outer;
        }

        // An interface's own method has its whole name.
        _name = $"{owner.Name}.{Written().Match(name.Split('.')[^1]).Groups[1].Value}";
    }

    public string File { get; }

    /// <summary>Null for what nobody wrote, what runs once for a process, and what only makes words.</summary>
    public static MethodSource? Of(MethodDefinition method)
    {
        var points = method.DebugInformation.SequencePoints.OrderBy(point => point.Offset).ToList();
        var isWritten = points.Any(point => !point.IsHidden)
            && (!method.CustomAttributes.Any(one => one.AttributeType.Name == "CompilerGeneratedAttribute")
                || method.Name.Contains("g__", StringComparison.Ordinal));
        return isWritten && !(method.IsConstructor && method.IsStatic) && method.Name != nameof(ToString)
            ? new(method, points)
            : null;
    }

    /// <summary>The method as a whole.</summary>
    public Branch? Entry() => _method.IsConstructor
        ? null
        : At(_points.First(point => !point.IsHidden), "entered", isRuledOut: false);

    /// <summary>What a handler catches.</summary>
    public Branch? Entry(ExceptionHandler handler)
    {
        var end = handler.HandlerEnd?.Offset ?? int.MaxValue;
        var point = _points.FirstOrDefault(
            point => !point.IsHidden && point.Offset >= handler.HandlerStart.Offset && point.Offset < end);
        return handler.HandlerType is ExceptionHandlerType.Catch or ExceptionHandlerType.Filter && point is not null
            ? At(point, $"caught {handler.CatchType?.Name ?? "it"}", isRuledOut: false)
            : null;
    }

    /// <summary>The decision that an instruction makes, if it makes one that somebody wrote.</summary>
    public Decision? DecisionAt(Instruction jump)
    {
        var point = _points.LastOrDefault(point => point.Offset <= jump.Offset);
        var isDecision = jump.OpCode.FlowControl == FlowControl.Cond_Branch;
        if (!isDecision || point is not { IsHidden: false } || IsCompilersOwn(jump))
        {
            return null;
        }

        var targets = jump.Operand as Instruction[] ?? [(Instruction)jump.Operand];
        var all = targets.Select((target, index) => (target, $"{index}")).Append((jump.Next, "else"))
            .GroupBy(pair => pair.Item1, pair => pair.Item2)
            .OrderBy(group => group.Key == jump.Next ? 0 : 1);
        return new(jump, jump.Next, [.. all.Select(Side)]);

        (Instruction, Branch) Side(IGrouping<Instruction, string> target)
        {
            var isTaken = target.Key != jump.Next;
            var words = jump.OpCode.Code == Code.Switch
                ? $"{Operand(jump.Previous)} is case {string.Join(", ", target)}"
                : jump.OpCode.Code is Code.Brfalse or Code.Brtrue
                    ? $"{Operand(jump.Previous)}: {Says(isTaken == (jump.OpCode.Code == Code.Brtrue))}"
                    : $"{Comparison(jump.OpCode.Code)} {Operand(jump.Previous)}: {Says(isTaken)}";
            return (target.Key, At(point, words, LeadsNowhere(target.Key)));
        }
    }

    private Branch At(SequencePoint point, string when, bool isRuledOut) =>
        new(_name, File, point.StartLine, TextOf(point), when, isRuledOut);

    private static string Says(bool value) => value ? "yes" : "no";

    /// <summary>Caches of delegates, and whether an await has to wait.</summary>
    private static bool IsCompilersOwn(Instruction jump) => jump.Previous switch
    {
        { OpCode.Code: Code.Dup, Previous.Operand: FieldReference field } => field.Name.StartsWith('<'),
        { Operand: MethodReference { Name: "get_IsCompleted" } method } =>
            method.DeclaringType.Name.Contains("Awaiter", StringComparison.Ordinal),
        _ => false,
    };

    private static bool LeadsNowhere(Instruction target)
    {
        while (target.OpCode.Code is Code.Nop or Code.Br or Code.Br_S)
        {
            target = target.OpCode.Code == Code.Nop ? target.Next : (Instruction)target.Operand;
        }

        return target.Operand is MethodReference { Name: "ThrowSwitchExpressionException" }
            or MethodReference { Name: ".ctor", DeclaringType.Name: nameof(UnreachableException) };
    }

    private static string Comparison(Code code) => code switch
    {
        Code.Beq => "==",
        Code.Bne_Un => "!=",
        Code.Blt or Code.Blt_Un => "<",
        Code.Ble or Code.Ble_Un => "<=",
        Code.Bgt or Code.Bgt_Un => ">",
        _ => ">=",
    };

    /// <summary>In a word or two, what an instruction has put on the stack.</summary>
    private string Operand(Instruction? instruction) => instruction switch
    {
        { OpCode.Code: Code.Dup or Code.Stloc or Code.Conv_I8 } => Operand(instruction.Previous),
        { Operand: MethodReference method } => Prefix().Replace(method.Name, ""),
        { OpCode.Code: Code.Isinst, Operand: TypeReference type } => $"is {type.Name}",
        { Operand: FieldReference field } => Written().Match(field.Name).Groups[1].Value,
        { Operand: ParameterDefinition parameter } => parameter.Name,
        { Operand: VariableDefinition variable } => NameOf(variable)
            ?? (instruction.Previous.Operand == variable ? Operand(instruction.Previous) : "it"),
        { OpCode.Code: Code.Ldc_I4 or Code.Ldc_I8 } => $"{instruction.Operand}",
        null => "it",
        _ => instruction.OpCode.Name,
    };

    private string? NameOf(VariableDefinition variable) =>
        _method.DebugInformation.TryGetName(variable, out var name) ? name : null;

    private static string TextOf(SequencePoint point)
    {
        var path = point.Document.Url;
        if (!Texts.TryGetValue(path, out var lines))
        {
            Texts[path] = lines = System.IO.File.ReadAllLines(path);
        }

        if (point.EndLine > lines.Length)
        {
            return "";
        }

        var text = string.Join(' ', lines[(point.StartLine - 1)..point.EndLine]);
        var end = text.Length - (lines[point.EndLine - 1].Length - (point.EndColumn - 1));
        text = Blanks().Replace(text[(point.StartColumn - 1)..end], " ");
        return text.Length <= 90 ? text : $"{text[..87]}...";
    }

    [GeneratedRegex(@"^<*(\w*)")]
    private static partial Regex Written();

    [GeneratedRegex("^(get|op)_")]
    private static partial Regex Prefix();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
