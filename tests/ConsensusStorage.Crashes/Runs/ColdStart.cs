using System.Diagnostics;
using System.Globalization;
using System.Net;
using Orleans.Consensus.Crashes.Bank;
using Orleans.Consensus.Crashes.Processes;

namespace Orleans.Consensus.Crashes.Runs;

/// <summary>
/// How long a bank whose logs are full takes from the start of its three processes to the first acknowledged deposit,
/// beside one whose logs have a handful of registers.
/// </summary>
internal sealed class ColdStart(int registers, int rounds, TextWriter output, CancellationToken cancellationToken)
{
    private const int Customers = 64;

    /// <summary>Accounts of the full bank that are looked at after the last start.</summary>
    private const int Looks = 200;

    private static readonly TimeSpan Goal = TimeSpan.FromSeconds(5);
    private static readonly int[] All = [0, 1, 2];

    private int _starts;

    /// <summary>The sample's program; null for the one that was built with this.</summary>
    public string? Program { get; init; }

    /// <summary>Whether a start that takes longer than it should is a violation.</summary>
    public bool Goals { get; init; }

    private string Command => string.Create(
        CultureInfo.InvariantCulture,
        $"dotnet run --project tests/ConsensusStorage.Crashes -c Release -- cold-start "
            + $"--registers {registers} --rounds {rounds}")
        + (Program is null ? "" : $" --program {Program}")
        + (Goals ? " --goals" : "");

    /// <summary>Runs it to its end; returns the exit code.</summary>
    public Task<int> RunAsync() => RunData.UseAsync(data: null, Command, output, RunAsync, cancellationToken);

    private async Task RunAsync(string directory)
    {
        await using var empty = SilosIn(Path.Combine(directory, "empty"));
        await using var full = SilosIn(Path.Combine(directory, "full"));
        await empty.StartAsync(All);
        await StopAsync(empty);
        await full.StartAsync(All);
        await FillAsync(full);
        await StopAsync(full);
        for (var round = 1; round <= rounds; round++)
        {
            foreach (var killed in (bool[])[false, true])
            {
                await TellAsync(round, empty, "few registers", killed);
                await TellAsync(round, full, $"{registers} registers", killed);
            }
        }

        await full.StartAsync(All);
        await VerifyAsync(full);
    }

    private SiloProcesses SilosIn(string directory)
    {
        Directory.CreateDirectory(directory);
        var plan = BankPlan.Create(directory);
        return new(plan, silo => new([], plan.LogOf(silo)) { Program = Program });
    }

    private static string AccountOf(int number) => string.Create(CultureInfo.InvariantCulture, $"account-{number}");

    private static async Task StopAsync(SiloProcesses silos)
    {
        foreach (var silo in All)
        {
            await silos.StopAsync(silo, Waiting.Patience);
        }
    }

    /// <summary>Deposits one into each account once.</summary>
    private async Task FillAsync(SiloProcesses silos)
    {
        var clock = Stopwatch.StartNew();
        using var bank = new BankClient([.. silos.Addresses]);
        await Parallel.ForEachAsync(
            Enumerable.Range(0, registers),
            new ParallelOptions { MaxDegreeOfParallelism = Customers, CancellationToken = cancellationToken },
            async (number, token) => await DepositAsync(bank, AccountOf(number), "first", token));
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture, $"{registers} accounts opened in {clock.Elapsed.TotalSeconds:F0} s."));
    }

    /// <summary>Starts a bank that was stopped, or one that was killed as a whole.</summary>
    private async Task TellAsync(int round, SiloProcesses silos, string what, bool killed)
    {
        if (killed)
        {
            await silos.StartAsync(All);
            await silos.KillAsync(All);
        }

        var clock = Stopwatch.StartNew();
        var starting = silos.StartAsync(All);
        var answering = FirstAnswerAsync(silos, clock);
        await Task.WhenAll(starting, answering);
        var answered = await answering;
        await StopAsync(silos);
        var how = killed ? "killed before" : "stopped before";
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"{round}: {what}, {how}: {answered.TotalSeconds:F1} s until the first answered write"));
        ViolationException.Unless(!Goals || answered <= Goal, $"The goal is {Goal}.");
    }

    /// <summary>When the first of three customers, each at a silo, was told that a deposit is done.</summary>
    private async Task<TimeSpan> FirstAnswerAsync(SiloProcesses silos, Stopwatch clock)
    {
        var start = _starts++;
        var deposits = silos.Addresses.Select(async (address, silo) =>
        {
            using var bank = new BankClient(address);
            var request = string.Create(CultureInfo.InvariantCulture, $"start-{start}-{silo}");
            await DepositAsync(bank, $"first-{silo}", request, cancellationToken);
            return clock.Elapsed;
        });
        return (await Task.WhenAll(deposits)).Min();
    }

    /// <summary>Asks one silo after the other for a deposit until it is acknowledged.</summary>
    private static async Task DepositAsync(
        BankClient bank, string account, string request, CancellationToken cancellationToken)
    {
        var order = new BankOrder(OrderKind.Deposit, request, account, "", 1);
        var answer = await bank.InsistAsync(() => order.SendAsync(bank), cancellationToken);
        ViolationException.Unless(
            answer.Status == HttpStatusCode.OK, $"A deposit was answered with {answer.Status}: {answer.Body}");
    }

    private async Task VerifyAsync(SiloProcesses silos)
    {
        using var bank = new BankClient([.. silos.Addresses]);
        for (var look = 0; look < Math.Min(Looks, registers); look++)
        {
            var account = AccountOf(look * (registers / Math.Min(Looks, registers)));
            var answer = await bank.InsistAsync(
                () => bank.GetAsync($"/accounts/{account}?fresh=true"), cancellationToken);
            ViolationException.Unless(
                answer.Status == HttpStatusCode.OK && answer.Body.GetProperty("balance").GetDecimal() == 1,
                $"Account {account} has lost its deposit: {answer.Body}");
        }
    }
}
