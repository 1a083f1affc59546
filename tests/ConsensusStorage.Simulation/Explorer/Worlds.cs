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
        + "collected; floor1: floors and horizons are raised for other registers; alone1: an acceptor raises its floor "
        + "of its own accord; gone: the register was cleared before; "
        + "late: replies travel by themselves; slow: no common clock; of5: five acceptors.";

    private static readonly (string Name, string Purpose)[] Quick =
    [
        ("w2-r1", "a write that is tried again, and a read"),
        ("c2-w1", "a clear that is tried again, and a write"),
        ("rw1-w1", "a write over what was read, and another"),
        ("w1-r1-crash1", "who writes or reads may die"),
        ("w1-r1-twice1", "messages that come twice"),
        ("w1-r1-late", "replies that are late and overtaken, too"),
        ("w2-w1-slow", "two writes, no common clock"),
        ("wcr1-drop1", "write, clear, read, and the tombstone is dropped"),
        ("w1-w1-gone-drop1", "two writes while an old tombstone is dropped"),
        ("w1-rc1-drop1", "a write, a clear of it, and the tombstone is dropped"),
        ("wcr1-drop1-copy1", "a value is copied that was cleared and forgotten since"),
        ("wcr1-drop1-twice1", "a message comes again after the tombstone was dropped"),
        ("wcr1-drop1-late", "replies from before the tombstone was dropped are late and overtaken"),
        ("w1-r1-r1", "a write and two that read"),
        ("ww1-r1", "a write on a promise that a read may have overtaken"),
        ("ww1-r1-twice1", "the same, and a message comes twice"),
        ("w2-alone1", "a first write that is tried again after a floor has risen"),
        ("w1-w1-alone1", "two first writes, while a floor rises"),
        ("wcr1-drop1-alone1", "a tombstone is dropped where floors are apart"),
    ];

    private static readonly (string Name, string Purpose)[] Long =
    [
        ("rw1-rw1", "two that read and write"),
        ("ww1-rw1", "a write on a promise that another write may have overtaken"),
        ("ww1-rw1-twice1", "the same, and a message comes twice"),
        ("w1-w1-of5", "two writes, five acceptors"),
        ("w1-w1-r1", "two writes and a read"),
        ("c1-w1-r1", "a clear, a write and a read"),
        ("w1-r1-r1-crash1", "a write and two that read, and all may die"),
        ("w2-w2", "two writes, both tried again"),
        ("w2-rc1", "a write that is tried again, seen and cleared by another"),
        ("w1-rw1-crash1", "writes and a read, and all may die"),
        ("w2-w1-twice1", "two writes, messages that come twice"),
        ("w2-r1-late", "a write that is tried again and a read, replies that are late and overtaken"),
        ("wr2-w1-slow", "writes and a read, all tried again, no common clock"),
        ("wc1-w1-drop1", "a write, a clear, another write, and a tombstone is dropped"),
        ("w2-rc1-drop1", "a write in doubt that was seen, cleared and forgotten"),
        ("w1-w1-gone-drop1-crash1", "two writes while an old tombstone is dropped, and all may die"),
        ("wcw1-drop1-floor1", "write, clear and write again, floors of other registers, a tombstone is dropped"),
        ("w1-rc1-drop1-copy1", "a value of one is cleared by another, forgotten, and copied late"),
        ("wcr1-floor1-drop1-copy1", "the same of one client, with floors of other registers"),
        ("wcwc1-drop2", "two values, two tombstones, both dropped"),
        ("gone-w2-c1-drop1-floor1", "a write in doubt and a clear, over a tombstone that is dropped"),
        ("w1-rc1-drop1-twice1", "a value of one is cleared by another and forgotten, and a message comes twice"),
        ("w1-w1-gone-drop1-twice1", "two writes while an old tombstone is dropped, and a message comes twice"),
        ("w2-w1-alone1", "two first writes, one tried again, while a floor rises"),
        ("rw1-w1-alone1", "a write over an absence that was read before a floor rose, and another"),
        ("w2-alone2", "a first write that is tried again after floors have risen apart"),
        ("w2-rc1-drop1-alone1", "a write in doubt that was seen, cleared and forgotten where floors are apart"),
        ("w1-rc1-drop1-copy1-alone1", "a value of one is cleared, forgotten and copied late, floors are apart"),
        ("wcr1-drop1-twice1-crash1", "a message from before its sender died comes again after the tombstone is gone"),
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
                var word = choice.Groups[1].Value + choice.Groups[3].Value;
                (rules, moves) = Choose(rules, moves, word, choice.Groups[2].Value);
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
            "alone" => (rules, moves with { Alone = Count(count) }),
            "gone" => (rules, moves with { StartsCleared = true }),
            "late" => (rules, moves with { RepliesTravel = true }),
            "slow" => (rules with { IsClocked = false }, moves),
            _ => (rules.Of(Count(count)), moves),
        };

    private static int Count(string digit) => int.Parse(digit, CultureInfo.InvariantCulture);

    [GeneratedRegex("^([rwc]{1,8})([1-9])$")]
    private static partial Regex ClientPart();

    [GeneratedRegex("^(?:(crash|twice|copy|drop|floor|alone|of(?=[1-7]))([1-9])|(gone|late|slow))$")]
    private static partial Regex ChoicePart();
}
