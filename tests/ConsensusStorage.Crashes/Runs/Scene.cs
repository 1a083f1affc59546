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
    /// <summary>Answers to take from a silo that does not know that it is dead: a history's room is limited.</summary>
    private const int MostAnswers = 15;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly HashSet<int> _doomed = [];
    private int _looks;

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

    /// <summary><see cref="Customers.LongestTrouble"/>.</summary>
    public required Func<long, TimeSpan> LongestTrouble { get; init; }

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
    public Task RecoverAsync() => SeeAsync(cluster =>
    {
        var alive = StatusesOf(cluster).Count(silo => silo.Status == "alive");
        var missing = ReplicasOf(cluster).Where(replica => StateOf(replica) != "serving").ToList();
        return alive < Options.Silos || missing.Count > 0
            ? $"{alive} silos are alive; replicas that do not serve: {string.Join(", ", missing)}"
            : null;
    });

    /// <summary>Waits until the others think that silos are dead.</summary>
    public Task BecomeDeadAsync(IReadOnlyCollection<int> silos) => SeeAsync(cluster =>
    {
        var dead = StatusesOf(cluster).Where(silo => silo.Status == "dead").Select(silo => silo.Name);
        var alive = silos.Select(BankPlan.NameOf).Except(dead).ToList();
        return alive.Count > 0 ? $"not thought dead: {string.Join(", ", alive)}" : null;
    });

    /// <summary>Waits until a replica is refused, and returns what it says.</summary>
    public async Task<string> BecomeRefusedAsync(string replica)
    {
        string? problem = null;
        await SeeAsync(cluster =>
        {
            var states = ReplicasOf(cluster)
                .Where(each => each.GetProperty("replica").GetString() == replica).ToList();
            problem = states[0].GetProperty("problem").GetString();
            return states.All(each => StateOf(each) == "refused")
                ? null
                : $"replica {replica} is not refused: {states[0]}";
        });
        return problem ?? "";
    }

    /// <summary>
    /// Reads accounts through a silo that the others think is dead, or will, until it has learned that and ended
    /// itself. What it answers goes into the accounts' histories.
    /// </summary>
    /// <exception cref="ViolationException">It has ended for another reason.</exception>
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
        await Silos.RequireToldDeadAsync(silo);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{answers} answers before {BankPlan.NameOf(silo)} ended itself with exit code {program.ExitCode}");
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

    private static IEnumerable<JsonElement> ReplicasOf(JsonElement cluster) => cluster.GetProperty("groups")
        .EnumerateArray().SelectMany(group => group.GetProperty("replicas").EnumerateArray());

    private static string? StateOf(JsonElement replica) => replica.GetProperty("state").GetString();

    private static IEnumerable<(string Name, string? Status)> StatusesOf(JsonElement cluster) => cluster
        .GetProperty("silos").EnumerateArray()
        .Select(silo => (silo.GetProperty("name").GetString()!, silo.GetProperty("status").GetString()));

    /// <summary>Looks at the cluster as one silo after the other sees it, until nothing is wrong.</summary>
    private Task SeeAsync(Func<JsonElement, string?> findWrong) => Waiting.UntilWellAsync(
        async () =>
        {
            await RescueAsync();
            var silo = _looks++ % Options.Silos;
            var bank = Banks[silo];
            return _doomed.Contains(silo) || await bank.TryAsync(() => bank.GetAsync("/cluster")) is not { } answer
                ? $"silo {BankPlan.NameOf(silo)} does not answer."
                : findWrong(answer.Body);
        },
        cancellationToken);

    private async Task RescueAsync()
    {
        foreach (var silo in Silos.Started.Where(silo => !_doomed.Contains(silo) && Silos[silo].ExitCode is not null))
        {
            await Silos.StartAgainAsync(silo);
        }
    }

    private int[] Pick(int count)
    {
        var silos = Enumerable.Range(0, Options.Silos).ToArray();
        random.Shuffle(silos);
        return silos[..count];
    }
}
