using System.Diagnostics;
using Orleans.Consensus.Azurite;
using Orleans.Consensus.Crashes.Faults;
using Orleans.Consensus.Crashes.Networks;
using Orleans.Consensus.Crashes.Processes;

namespace Orleans.Consensus.Crashes.Runs;

/// <summary>A cluster of processes, its customers, and one fault after the other.</summary>
internal sealed class CrashRun
{
    /// <summary>In milliseconds: about as long as a first start takes.</summary>
    private const int LongestBeginning = 6000;

    private readonly CrashOptions _options;
    private readonly CrashReport _report;
    private readonly List<Fault> _kinds;
    private readonly string _directory;
    private readonly Random _random;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly CancellationToken _cancellationToken;

    private CrashRun(CrashOptions options, TextWriter output, string directory, CancellationToken cancellationToken)
    {
        (_options, _directory, _cancellationToken) = (options, directory, cancellationToken);
        _random = new Random(options.Seed);
        _kinds = [.. options.Kinds];
        _report = new(options, output, _clock);
    }

    /// <summary>Runs it to its end; returns the exit code.</summary>
    public static Task<int> RunAsync(CrashOptions options, TextWriter output, CancellationToken cancellationToken) =>
        RunData.UseAsync(
            options.Data,
            options.Command,
            output,
            directory => new CrashRun(options, output, directory, cancellationToken).RunAsync(),
            cancellationToken);

    private async Task RunAsync()
    {
        IReadOnlyList<AzuriteServer> accounts = _options.IsAzure
            ? await AzuriteServer.StartAsync(
                _options.Silos, new() { Directory = Path.Combine(_directory, "accounts") }, _cancellationToken)
            : [];
        try
        {
            await using var network = await JoinAsync();
            await RunAsync(accounts, network);
        }
        finally
        {
            foreach (var account in accounts)
            {
                if (account.LastWords is { } words)
                {
                    _report.Tell($"The Azurite in {account.Directory} has ended by itself: {words}");
                }

                await account.DisposeAsync();
            }
        }
    }

    /// <summary>The network, if it can be cut; null, and said why, where that can't be and need not be.</summary>
    private async Task<SiloNetwork?> JoinAsync()
    {
        try
        {
            return _kinds.OfType<Cut>().Any() ? await SiloNetwork.CreateAsync(_options.Silos) : null;
        }
        catch (NetworkException exception) when (_options.Faults.Count == 0)
        {
            _kinds.RemoveAll(kind => kind is Cut);
            _report.Tell($"No silo will be cut off: {exception.Message}");
            return null;
        }
    }

    private async Task RunAsync(IReadOnlyList<AzuriteServer> accounts, SiloNetwork? network)
    {
        var plan = BankPlan.Create(_directory) with
        {
            Silos = _options.Silos,
            Connections = [.. accounts.Select(account => account.ConnectionString)],
            Hosts = network?.Hosts ?? [],
        };
        await using var silos = new SiloProcesses(plan, silo => new(
            network is null ? [] : SiloNetwork.PrefixOf(silo),
            plan.LogOf(silo)));
        _report.Begins(_kinds);
        await BeginAsync(silos);
        await using var customers = new Customers([.. silos.Addresses], _clock, slow: _options.IsAzure);
        var scene = new Scene(_random, _cancellationToken)
        {
            Options = _options,
            Plan = plan,
            Silos = silos,
            Accounts = accounts,
            Network = network,
            Banks = customers.Banks,
            Load = customers.Load,
            LongestTrouble = customers.LongestTrouble,
            Service = new(_clock),
        };
        await scene.RecoverAsync();
        await scene.ProgressAsync(more: 5);
        await StrikeAsync(scene, customers);
        await customers.StopAsync();
        var noticed = scene.Service.Find(customers.Beats, _options.Minority);
        _report.Loaded(customers, silos.Misjudged, noticed);
        await customers.Load.Ledger.VerifyAsync(customers.Banks);
        if (_options.Goals)
        {
            noticed.RequireGoals();
        }

        _report.Ends();
    }

    /// <summary>Kills all silos at some moment of their very first start, while nothing is there yet, and starts them.
    /// </summary>
    private async Task BeginAsync(SiloProcesses silos)
    {
        int[] all = [.. Enumerable.Range(0, _options.Silos)];
        silos.Launch(all);
        await Task.Delay(_random.Next(LongestBeginning), _cancellationToken);
        foreach (var silo in all)
        {
            await silos.KillStartingAsync(silo);
        }

        await silos.StartAsync(all);
    }

    /// <summary>Deals out all kinds of faults in random order, again and again until the time is over.</summary>
    private async Task StrikeAsync(Scene scene, Customers customers)
    {
        var deck = _kinds.ToArray();
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
            await scene.ProgressAsync(more: 2);
            await customers.CheckAsync();
        }
    }
}
