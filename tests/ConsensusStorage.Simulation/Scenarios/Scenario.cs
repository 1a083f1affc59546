using System.Collections.Immutable;

namespace Orleans.Consensus.Simulation.Scenarios;

/// <summary>
/// One activation: where it is, which register it writes, when it begins, and how long it rests between two calls.
/// </summary>
internal sealed record PlannedClient(int Silo, int Register, int Begin, int LongestPause, int Seed);

/// <summary>
/// All that a run depends on, drawn from one seed: data, so that a failing run can be made smaller.
/// </summary>
/// <param name="Replicas">Acceptors: 3 or 5.</param>
/// <param name="Silos">Silos: those with a replica, and up to two more.</param>
/// <param name="Groups">Replica groups.</param>
/// <param name="Floats">Replicas float over storage accounts; else each has a disk.</param>
/// <param name="IsTight">Queues and patience are so short that they come to their ends.</param>
/// <param name="Capacities">
/// Operations that each register takes; the first ones are hot, the last ones are first written when much is broken.
/// </param>
/// <param name="Clients">Several to a register: duplicate activations.</param>
internal sealed record Scenario(
    int Seed,
    Profile Profile,
    int Replicas,
    int Silos,
    int Groups,
    bool Floats,
    bool IsTight,
    ImmutableArray<int> Capacities,
    ImmutableArray<PlannedClient> Clients,
    ImmutableArray<PlannedFault> Faults)
{
    /// <summary>Faults that are drawn; a run that comes to its end does not see all of them.</summary>
    private const int MostFaults = 80;

    /// <summary>Faults that a run lasts for at least.</summary>
    public const int LeastFaults = 11;

    private const int HotCapacity = 80;
    private const int ColdCapacity = 30;
    private const int LateCapacity = 8;
    private const int Late = 6;
    private const int MostReminderClients = 12;

    /// <summary>Each has loops and logs of its own, which take their time.</summary>
    private const int MostFloatingGroups = 2;

    /// <summary>The share of stores whose formation is a part of the troubles.</summary>
    private const double FormingInTrouble = 0.25;

    /// <summary>Replicas that float do it over shared directories.</summary>
    public bool Shares => Floats && Profile.Shares;

    /// <summary>Whether the locks of shared directories hold between machines.</summary>
    public bool LocksHold => new Random(Seed ^ 0x10C5).Next(3) == 0;

    /// <summary>The store is formed for the first time while the faults strike already.</summary>
    public bool FormsInTrouble { get; init; }

    public static Scenario Of(int seed, Profile profile) => profile.Subject switch
    {
        Subject.Membership => OfMembership(seed, profile),
        Subject.Reminders => OfReminders(OfStore(seed, profile)),
        _ => OfStore(seed, profile),
    };

    /// <summary>Reminders are in registers of their own, and each of their calls is several of these.</summary>
    private static Scenario OfReminders(Scenario scenario) =>
        scenario with { Capacities = [], Clients = scenario.Clients[..MostReminderClients] };

    /// <summary>
    /// Places of documents are the replicas; processes are silos, and behind them clients that only read.
    /// </summary>
    private static Scenario OfMembership(int seed, Profile profile)
    {
        var random = new Random(seed);
        var places = random.Next(8) switch
        {
            0 => 1,
            <= 2 => 5,
            _ => 3,
        };
        var silos = random.Next(2, 6);
        var processes = silos + random.Next(1, 3);
        var clients = Enumerable.Range(0, processes)
            .SelectMany(process => Enumerable.Range(0, random.Next(1, 3)).Select(_ => process))
            .Select(process => new PlannedClient(
                process, process < silos ? 0 : 1, random.Next(400), random.Next(20, 300), random.Next()))
            .ToImmutableArray();
        return new(
            seed,
            profile,
            places,
            processes,
            Groups: 1,
            Floats: true,
            IsTight: random.Next(2) == 0,
            Capacities: [],
            clients,
            [.. Draw(random, profile, processes, floats: true)]);
    }

    private static Scenario OfStore(int seed, Profile profile)
    {
        // Apart from all others, which stay as they are for seeds with disks.
        var floats = new Random(seed ^ 0xF10A7).NextDouble() < profile.Floating;
        var random = new Random(seed);
        var replicas = random.Next(3) == 0 ? 5 : 3;
        var silos = replicas + random.Next(3);
        var hot = random.Next(1, 4);
        var capacities = Enumerable.Repeat(HotCapacity, hot)
            .Concat(Enumerable.Repeat(ColdCapacity, (profile.Operations / ColdCapacity) + 1))
            .ToImmutableArray();
        var clients = Enumerable.Range(0, Math.Max(capacities.Length + (2 * hot), silos * random.Next(3, 6)))
            .Select(index => new PlannedClient(
                random.Next(silos),
                index < capacities.Length ? index : Register(random, hot, capacities.Length),
                0,
                random.Next(20, 400),
                random.Next()))
            .Concat(Enumerable.Range(0, 2 * Late)
                .Select(index => new PlannedClient(
                    random.Next(silos),
                    capacities.Length + (index / 2),
                    (index * 250) + random.Next(500),
                    random.Next(20, 100),
                    random.Next())))
            .ToImmutableArray();
        return new(
            seed,
            profile,
            replicas,
            silos,
            floats ? random.Next(1, MostFloatingGroups + 1) : random.Next(1, 5),
            floats,
            random.Next(6) == 0,
            [.. capacities, .. Enumerable.Repeat(LateCapacity, Late)],
            clients,
            [.. Draw(random, profile, silos, floats)])
        {
            FormsInTrouble = new Random(seed ^ 0xF0121).NextDouble() < FormingInTrouble,
        };
    }

    private static int Register(Random random, int hot, int registers) =>
        random.Next(2) == 0 ? random.Next(hot) : random.Next(registers);

    private static IEnumerable<PlannedFault> Draw(Random random, Profile profile, int silos, bool floats)
    {
        var weights = profile.Weights
            .Where(one => one.Kind.Fits(floats, floats && profile.Shares))
            .ToList();
        var total = weights.Sum(weight => weight.Weight);
        var at = 0;
        for (var number = 0; number < MostFaults; number++)
        {
            at += random.Next(profile.Spacing.Shortest, profile.Spacing.Longest);
            var dice = random.Next(total);
            var index = 0;
            while (dice >= weights[index].Weight)
            {
                dice -= weights[index++].Weight;
            }

            // Mostly short, now and then so long that everybody notices.
            var lasts = random.Next(5) == 0 ? random.Next(500, 3000) : random.Next(20, 500);
            yield return new(
                number,
                weights[index].Kind,
                TimeSpan.FromMilliseconds(at),
                TimeSpan.FromMilliseconds(lasts * profile.Lasting),
                random.Next(silos),
                random.Next());
        }
    }
}
