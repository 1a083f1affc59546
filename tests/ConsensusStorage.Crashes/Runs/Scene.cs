using System.Globalization;
using System.Text.Json;
using Orleans.Consensus.Azurite;
using Orleans.Consensus.Crashes.Bank;
using Orleans.Consensus.Crashes.Networks;
using Orleans.Consensus.Crashes.Processes;

namespace Orleans.Consensus.Crashes.Runs;

/// <summary>What faults strike, and what they need to know of it.</summary>
internal sealed class Scene(Random random, CancellationToken cancellationToken)
{
    /// <summary>Answers to take from a silo that does not know that it is dead; a history has room for no more.</summary>
    private const int MostAnswers = 15;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly HashSet<int> _doomed = [];

    public required CrashOptions Options { get; init; }

    public required BankPlan Plan { get; init; }

    public required SiloProcesses Silos { get; init; }

    /// <summary>The storage account of each replica, if their logs are blobs; else none.</summary>
    public required IReadOnlyList<AzuriteServer> Accounts { get; init; }

    /// <summary>The network of the silos, if they have one of their own.</summary>
    public SiloNetwork? Network { get; init; }

    /// <summary>A way to each silo.</summary>
    public required IReadOnlyList<BankClient> Banks { get; init; }

    public required BankLoad Load { get; init; }

    public required ServicePauses Service { get; init; }

    /// <summary>For people: silo a, silos a and b.</summary>
    public static string NamesOf(IReadOnlyCollection<int> silos) =>
        (silos.Count == 1 ? "silo " : "silos ") + string.Join(", ", silos.Select(BankPlan.NameOf));

    /// <summary>Replicas, or their silos, whose loss harms nobody.</summary>
    public IReadOnlyList<int> PickMinority() => Pick(random.Next(1, Options.Minority + 1));

    public int PickOne() => Pick(1)[0];

    /// <summary>Lets a fault last for up to three seconds.</summary>
    public Task LingerAsync() => Task.Delay(random.Next(3000), cancellationToken);

    /// <summary>Waits until every customer got <paramref name="more"/> further orders acknowledged.</summary>
    public Task ProgressAsync(int more) => Load.ProgressAsync(more, RescueAsync);

    /// <summary>Expects silos to end themselves, until they are started again.</summary>
    public void Doom(IEnumerable<int> silos) => _doomed.UnionWith(silos);

    /// <summary>Waits until all silos are alive and all replicas serve: the next fault may harm others.</summary>
    public Task RecoverAsync() => Waiting.UntilWellAsync(
        async () =>
        {
            await RescueAsync();
            var cluster = await DescribeAsync(random.Next(Options.Silos));
            var silos = cluster.GetProperty("silos").EnumerateArray()
                .Where(silo => silo.GetProperty("status").GetString() == "alive").ToList();
            var missing = ReplicasOf(cluster)
                .Where(replica => replica.GetProperty("state").GetString() != "serving").ToList();
            return silos.Count < Options.Silos || missing.Count > 0
                ? $"{silos.Count} silos are alive; replicas that do not serve: {string.Join(", ", missing)}"
                : null;
        },
        cancellationToken);

    /// <summary>Waits until the others think that silos are dead.</summary>
    public Task BecomeDeadAsync(IReadOnlyCollection<int> silos) => Waiting.UntilWellAsync(
        async () =>
        {
            var other = Enumerable.Range(0, Options.Silos).Except(silos).First();
            var dead = (await DescribeAsync(other)).GetProperty("silos").EnumerateArray()
                .Where(silo => silo.GetProperty("status").GetString() == "dead")
                .Select(silo => silo.GetProperty("name").GetString());
            var alive = silos.Select(BankPlan.NameOf).Except(dead).ToList();
            return alive.Count > 0 ? $"not thought dead: {string.Join(", ", alive)}" : null;
        },
        cancellationToken);

    /// <summary>Waits until a replica is refused, and returns what it says.</summary>
    public async Task<string> BecomeRefusedAsync(string replica)
    {
        string? problem = null;
        await Waiting.UntilWellAsync(
            async () =>
            {
                var states = ReplicasOf(await DescribeAsync(random.Next(Options.Silos)))
                    .Where(each => each.GetProperty("replica").GetString() == replica).ToList();
                problem = states[0].GetProperty("problem").GetString();
                return states.All(each => each.GetProperty("state").GetString() == "refused")
                    ? null
                    : $"replica {replica} is not refused: {states[0]}";
            },
            cancellationToken);
        return problem ?? "";
    }

    /// <summary>
    /// Reads accounts through a silo that the others think is dead, or will, until it has learned that and ended itself.
    /// What it answers goes into the accounts' histories.
    /// </summary>
    public async Task<string> AskUntilItEndsAsync(int silo)
    {
        var program = Silos[silo];
        var answers = 0;
        await Waiting.UntilWellAsync(
            async () =>
            {
                var asks = program.ExitCode is null && answers < MostAnswers;
                answers += asks && await Load.Ledger.TryReadAsync(Banks[silo], Load.CurrentAccount) ? 1 : 0;
                await Task.Delay(Pause, cancellationToken);
                return program.ExitCode is null ? $"silo {BankPlan.NameOf(silo)} does not end itself." : null;
            },
            cancellationToken);
        return string.Create(
            CultureInfo.InvariantCulture, $"{answers} right answers before {BankPlan.NameOf(silo)} ended with {program.ExitCode}");
    }

    /// <summary>Starts silos that have ended, and waits until all is well.</summary>
    public async Task RestartAsync(IReadOnlyList<int> silos)
    {
        foreach (var silo in silos)
        {
            await Silos.KillAsync(silo);
        }

        _doomed.ExceptWith(silos);
        await Silos.StartAsync(silos);
        await RecoverAsync();
    }

    private async Task RescueAsync()
    {
        foreach (var silo in Silos.Started.Where(silo => !_doomed.Contains(silo) && Silos[silo].ExitCode is not null))
        {
            await Silos.StartAgainAsync(silo);
        }
    }

    private static IEnumerable<JsonElement> ReplicasOf(JsonElement cluster) => cluster.GetProperty("groups")
        .EnumerateArray().SelectMany(group => group.GetProperty("replicas").EnumerateArray());

    private async Task<JsonElement> DescribeAsync(int silo)
    {
        var bank = Banks[silo];
        return (await bank.InsistAsync(() => bank.GetAsync("/cluster"), cancellationToken)).Body;
    }

    private int[] Pick(int count)
    {
        var silos = Enumerable.Range(0, Options.Silos).ToArray();
        random.Shuffle(silos);
        return silos[..count];
    }
}
