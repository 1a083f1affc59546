using Orleans.Consensus.Crashes.Bank;

namespace Orleans.Consensus.Crashes.Processes;

/// <summary>The silos of a bank, each a process of its own. Not thread-safe.</summary>
/// <param name="place">Where each of them runs.</param>
internal sealed class SiloProcesses(BankPlan plan, Func<int, ProgramPlace>? place = null) : IAsyncDisposable
{
    private const string ToldDead = "I have been told I am dead";

    private readonly SampleProgram?[] _programs = new SampleProgram?[plan.Silos];

    public IEnumerable<Uri> Addresses => Enumerable.Range(0, plan.Silos).Select(plan.AddressOf);

    /// <summary>Those that were started, and not killed or stopped since.</summary>
    public IReadOnlyList<int> Started =>
        [.. Enumerable.Range(0, plan.Silos).Where(silo => _programs[silo] is not null)];

    public SampleProgram this[int silo] => _programs[silo]
        ?? throw new InvalidOperationException($"Silo {BankPlan.NameOf(silo)} does not run.");

    /// <summary>How many were started again because the others had thought them dead without a reason.</summary>
    public int Misjudged { get; private set; }

    /// <summary>Starts silos at once, and waits until each of them serves.</summary>
    /// <exception cref="ViolationException">One has ended instead.</exception>
    public async Task StartAsync(params IReadOnlyList<int> silos)
    {
        Launch(silos);
        await Task.WhenAll(silos.Select(ServesAsync));
    }

    /// <summary>Starts silos at once, and does not wait for them.</summary>
    public void Launch(IReadOnlyList<int> silos)
    {
        foreach (var silo in silos)
        {
            _programs[silo] = SampleProgram.Start(plan.ArgumentsOf(silo), place?.Invoke(silo));
        }
    }

    /// <summary>
    /// Starts a silo again that has ended itself because the others thought it dead, as a service manager would: a busy
    /// machine keeps a silo from answering for too long.
    /// </summary>
    /// <exception cref="ViolationException">It has ended for another reason.</exception>
    public async Task StartAgainAsync(int silo)
    {
        await RequireToldDeadAsync(silo);
        Misjudged++;
        await KillAsync(silo);
        await StartAsync(silo);
    }

    /// <summary>A silo that ends does so because the others think it is dead.</summary>
    /// <exception cref="ViolationException">It has ended for another reason.</exception>
    public async Task RequireToldDeadAsync(int silo)
    {
        var program = this[silo];
        var code = await program.ExitAsync(Waiting.Patience);
        ViolationException.Unless(
            code != 0 && program.Errors.Any(line => line.Contains(ToldDead, StringComparison.Ordinal)),
            $"Silo {BankPlan.NameOf(silo)} has ended with {code}: {program.LastErrors}");
    }

    /// <summary>Ends silos with <c>kill -9</c>, one after the other.</summary>
    public async Task KillAsync(params IReadOnlyList<int> silos)
    {
        foreach (var silo in silos)
        {
            await this[silo].DisposeAsync();
            _programs[silo] = null;
        }
    }

    /// <summary>The same, for one that was launched.</summary>
    /// <exception cref="ViolationException">It has ended by itself, for another reason than that others think it dead.
    /// </exception>
    public async Task KillStartingAsync(int silo)
    {
        if (this[silo].ExitCode is not null)
        {
            await RequireToldDeadAsync(silo);
        }

        await KillAsync(silo);
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

    public async ValueTask DisposeAsync() => await KillAsync(Started);

    private async Task ServesAsync(int silo)
    {
        try
        {
            await this[silo].PrintsAsync("Ready: ");
        }
        catch (InvalidOperationException) when (this[silo].ExitCode is not null)
        {
            await StartAgainAsync(silo);
        }
    }
}
