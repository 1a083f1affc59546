using System.Diagnostics;
using System.Globalization;
using Orleans.Consensus.Azurite;
using Orleans.Consensus.Crashes.Bank;
using Orleans.Consensus.Crashes.Faults;
using Orleans.Consensus.Crashes.Processes;

namespace Orleans.Consensus.Crashes.Runs;

/// <summary>A cluster of processes, its customers, and one fault after the other.</summary>
internal sealed class CrashRun
{
    /// <summary>Below what the bank gives itself: customers come again while their first request is under way.</summary>
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan PauseBetweenOrders = TimeSpan.FromMilliseconds(20);

    private readonly CrashOptions _options;
    private readonly CrashReport _report;
    private readonly string _directory;
    private readonly Random _random;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly CancellationToken _cancellationToken;

    private CrashRun(CrashOptions options, TextWriter output, string directory, CancellationToken cancellationToken)
    {
        (_options, _directory, _cancellationToken) = (options, directory, cancellationToken);
        _random = new Random(options.Seed);
        _report = new(options, output, _clock);
    }

    /// <summary>Runs it to its end; returns the exit code.</summary>
    public static async Task<int> RunAsync(
        CrashOptions options, TextWriter output, CancellationToken cancellationToken)
    {
        var directory = options.Data is null
            ? Directory.CreateTempSubdirectory("consensus-crashes-")
            : Directory.CreateDirectory(options.Data);
        var isClean = false;
        try
        {
            await new CrashRun(options, output, directory.FullName, cancellationToken).RunAsync();
            isClean = true;
            return ExitCode.Clean;
        }
        catch (Exception exception) when (exception is ViolationException or TimeoutException)
        {
            await output.WriteLineAsync($"VIOLATED: {exception.Message}");
            await output.WriteLineAsync($"Logs and data are in {directory.FullName}. Again: {options.Command}");
            return ExitCode.Violated;
        }
        finally
        {
            if (isClean && options.Data is null)
            {
                directory.Delete(recursive: true);
            }
        }
    }

    private async Task RunAsync()
    {
        IReadOnlyList<AzuriteServer> accounts = _options.IsAzure
            ? await AzuriteServer.StartAsync(
                _options.Silos, new() { Directory = Path.Combine(_directory, "accounts") }, _cancellationToken)
            : [];
        try
        {
            await RunAsync(accounts);
        }
        finally
        {
            foreach (var account in accounts)
            {
                await account.DisposeAsync();
            }
        }
    }

    private async Task RunAsync(IReadOnlyList<AzuriteServer> accounts)
    {
        var plan = BankPlan.Create(_directory) with
        {
            Silos = _options.Silos,
            Connections = [.. accounts.Select(account => account.ConnectionString)],
        };
        await using var silos = new SiloProcesses(
            plan, silo => new([], Path.Combine(_directory, $"{BankPlan.NameOf(silo)}.log")));
        var clients = new List<BankClient>();
        try
        {
            _report.Begins();
            await silos.StartAsync([.. Enumerable.Range(0, _options.Silos)]);
            await LoadAsync(plan, silos, accounts, clients);
        }
        finally
        {
            clients.ForEach(client => client.Dispose());
        }
    }

    private async Task LoadAsync(
        BankPlan plan, SiloProcesses silos, IReadOnlyList<AzuriteServer> accounts, List<BankClient> clients)
    {
        BankClient Client(params Uri[] addresses)
        {
            clients.Add(new BankClient(addresses) { Timeout = RequestTimeout });
            return clients[^1];
        }

        var addresses = silos.Addresses.ToArray();
        var banks = addresses.Select(address => Client(address)).ToList();
        var roaming = addresses.Select((_, first) => Client([.. addresses[first..], .. addresses[..first]])).ToList();
        await using var load = BankLoad.Start(roaming, PauseBetweenOrders);
        using var stop = new CancellationTokenSource();
        using var abort = CancellationTokenSource.CreateLinkedTokenSource(_cancellationToken);
        var pulses = addresses.Select((address, silo) => new Pulse(silo, Client(address), load.Ledger, _clock)).ToList();
        var beating = Task.WhenAll(pulses.Select(pulse => pulse.RunAsync(stop.Token, abort.Token)));
        var scene = new Scene(_random, _cancellationToken)
        {
            Options = _options,
            Plan = plan,
            Silos = silos,
            Accounts = accounts,
            Banks = banks,
            Load = load,
            Service = new(_clock),
        };
        try
        {
            await scene.RecoverAsync();
            await load.ProgressAsync(more: 5);
            await StrikeAsync(scene, beating);
            await stop.CancelAsync();
            await beating;
        }
        finally
        {
            await abort.CancelAsync();
            await beating.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await load.StopAsync();
        _report.Loaded(load.Ledger, clients, scene.Service.Longest(
            pulses.SelectMany(pulse => pulse.Beats), _options.Minority));
        await load.Ledger.VerifyAsync(banks);
        _report.Ends();
    }

    /// <summary>Deals out all kinds of faults in random order, again and again until the time is over.</summary>
    private async Task StrikeAsync(Scene scene, Task beating)
    {
        var deck = _options.Kinds.ToArray();
        for (var number = 0; number < deck.Length || _clock.Elapsed.TotalMinutes < _options.Minutes; number++)
        {
            if (number % deck.Length == 0)
            {
                _random.Shuffle(deck);
            }

            _cancellationToken.ThrowIfCancellationRequested();
            var fault = deck[number % deck.Length];
            var began = _clock.Elapsed;
            var what = await fault.StrikeAsync(scene);
            _report.Struck(fault, what, began);
            await scene.Load.ProgressAsync(more: 2);
            if (beating.IsCompleted)
            {
                await beating;
            }
        }
    }
}
