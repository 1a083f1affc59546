using System.Globalization;
using System.Text.RegularExpressions;

namespace Orleans.Consensus.Simulation.Explorer;

/// <summary>A world to walk through, and why.</summary>
internal sealed record NamedWorld(string Name, string Purpose, WorldRules Rules, Moves Moves);

/// <summary>
/// The worlds to explore. The name says all: for each client what it does, one after the other, and the rounds it
/// spends on each (<c>rw2</c>: reads, then writes, two rounds each); then what else may happen.
/// </summary>
internal static partial class Worlds
{
    public const string Notation =
        "A name is one part for each client and one for each choice: rwc2 is a client that reads, writes and clears in "
        + "up to two rounds each; crash1: clients die once; twice1: a message comes twice; copy1: a chosen value is "
        + "copied, sooner or later; drop1: a tombstone is "
        + "collected; floor1: floors are raised for other registers; gone: the register was cleared before; late: replies travel by themselves; slow: no common clock; of5: five acceptors.";

    private static readonly (string Name, string Purpose)[] Quick =
    [
        ("w2-r1", "a write that is tried again and a read"),
    ];

    private static readonly (string Name, string Purpose)[] Long =
    [
    ];

    public static IReadOnlyDictionary<string, IReadOnlyList<NamedWorld>> Sets { get; } =
        new Dictionary<string, IReadOnlyList<NamedWorld>>
        {
            ["ci"] = [.. Quick.Select(one => Make(one.Name, one.Purpose)!)],
            ["full"] = [.. Quick.Concat(Long).Select(one => Make(one.Name, one.Purpose)!)],
        };

    /// <summary>A listed world, or any other that <paramref name="name"/> describes; null: it describes none.</summary>
    public static NamedWorld? Find(string name) =>
        Sets["full"].FirstOrDefault(world => world.Name == name) ?? Make(name, "not in a set");

    private static NamedWorld? Make(string name, string purpose)
    {
        var rules = new WorldRules();
        var moves = new Moves();
        foreach (var part in name.Split('-'))
        {
            if (ClientPart().Match(part) is { Success: true } client)
            {
                rules = rules with
                {
                    Scripts = rules.Scripts.Add(WorldRules.Script(client.Groups[1].Value)),
                    Rounds = rules.Rounds.Add(Count(client.Groups[2].Value)),
                };
            }
            else if (ChoicePart().Match(part) is not { Success: true } choice)
            {
                return null;
            }
            else
            {
                (rules, moves) = Choose(rules, moves, choice.Groups[1].Value, choice.Groups[2].Value);
            }
        }

        return rules.Scripts.Length is > 0 and <= Client.MaxClients ? new(name, purpose, rules, moves) : null;
    }

    private static (WorldRules Rules, Moves Moves) Choose(WorldRules rules, Moves moves, string choice, string count) =>
        choice switch
        {
            "crash" => (rules, moves with { Crashes = Count(count) }),
            "twice" => (rules, moves with { Doubles = Count(count) }),
            "copy" => (rules, moves with { Copies = Count(count) }),
            "drop" => (rules, moves with { Collections = Count(count) }),
            "floor" => (rules, moves with { Floors = Count(count) }),
            "gone" => (rules, moves with { StartsCleared = true }),
            "late" => (rules, moves with { RepliesTravel = true }),
            "slow" => (rules with { IsClocked = false }, moves),
            _ => (rules.Of(Count(count)), moves),
        };

    private static int Count(string digit) => int.Parse(digit, CultureInfo.InvariantCulture);

    [GeneratedRegex("^([rwc]{1,8})([1-9])$")]
    private static partial Regex ClientPart();

    [GeneratedRegex("^(crash(?=.)|twice(?=.)|copy(?=.)|drop(?=.)|floor(?=.)|of(?=[1-7])|gone(?!.)|late(?!.)|slow(?!.))([1-9]?)$")]
    private static partial Regex ChoicePart();
}
