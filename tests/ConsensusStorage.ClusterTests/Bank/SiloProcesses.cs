namespace Orleans.Consensus.ClusterTests.Bank;

/// <summary>The silos of a bank, each a process of its own.</summary>
internal sealed class SiloProcesses(BankPlan plan) : IAsyncDisposable
{
    private readonly SampleProgram?[] _programs = new SampleProgram?[plan.Silos];

    public IEnumerable<Uri> Addresses => Enumerable.Range(0, plan.Silos).Select(plan.AddressOf);

    public SampleProgram this[int silo] => _programs[silo]
        ?? throw new InvalidOperationException($"Silo {BankPlan.NameOf(silo)} does not run.");

    /// <summary>Starts silos at once, and waits until each of them serves.</summary>
    public async Task StartAsync(params int[] silos)
    {
        foreach (var silo in silos)
        {
            _programs[silo] = SampleProgram.Start(plan.ArgumentsOf(silo));
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
    public async Task StopAsync(int silo, TimeSpan within)
    {
        Assert.Equal(0, await this[silo].StopAsync(SampleProgram.Terminate, within));
        await KillAsync(silo);
    }

    public async ValueTask DisposeAsync()
    {
        for (var silo = 0; silo < _programs.Length; silo++)
        {
            if (_programs[silo] is not null)
            {
                await KillAsync(silo);
            }
        }
    }
}
