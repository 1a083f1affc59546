using Orleans.Consensus.Crashes.Bank;

namespace Orleans.Consensus.Crashes.Processes;

/// <summary>The silos of a bank, each a process of its own. Not thread-safe.</summary>
/// <param name="place">Where each of them runs.</param>
internal sealed class SiloProcesses(BankPlan plan, Func<int, ProgramPlace>? place = null) : IAsyncDisposable
{
    private readonly SampleProgram?[] _programs = new SampleProgram?[plan.Silos];

    public IEnumerable<Uri> Addresses => Enumerable.Range(0, plan.Silos).Select(plan.AddressOf);

    /// <summary>Those that were started, and not killed or stopped since.</summary>
    public IReadOnlyList<int> Started =>
        [.. Enumerable.Range(0, plan.Silos).Where(silo => _programs[silo] is not null)];

    public SampleProgram this[int silo] => _programs[silo]
        ?? throw new InvalidOperationException($"Silo {BankPlan.NameOf(silo)} does not run.");

    /// <summary>Starts silos at once, and waits until each of them serves.</summary>
    public async Task StartAsync(params IReadOnlyList<int> silos)
    {
        foreach (var silo in silos)
        {
            _programs[silo] = SampleProgram.Start(plan.ArgumentsOf(silo), place?.Invoke(silo));
        }

        await Task.WhenAll(silos.Select(silo => this[silo].PrintsAsync("Ready: ")));
    }

    /// <summary>Ends one with <c>kill -9</c>.</summary>
    public async Task KillAsync(int silo)
    {
        await this[silo].DisposeAsync();
        _programs[silo] = null;
    }

    /// <summary>Stops one in order.</summary>
    /// <exception cref="ViolationException">It does not end well.</exception>
    public async Task StopAsync(int silo, TimeSpan within)
    {
        var code = await this[silo].StopAsync(SampleProgram.Terminate, within);
        ViolationException.Unless(
            code == 0, $"Silo {BankPlan.NameOf(silo)} was told to stop, and ended with exit code {code}.");
        await KillAsync(silo);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var silo in Started)
        {
            await KillAsync(silo);
        }
    }
}
