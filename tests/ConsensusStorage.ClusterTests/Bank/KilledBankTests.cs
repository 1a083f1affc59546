using Orleans.Consensus.ClusterTests.Support;
using Orleans.Consensus.Crashes.Bank;
using Orleans.Consensus.Crashes.Processes;

namespace Orleans.Consensus.ClusterTests.Bank;

/// <summary>The whole bank, or a silo of it, ends while customers use it: what was acknowledged stays.</summary>
[Collection(nameof(BankProcesses))]
public sealed class KilledBankTests : IDisposable
{
    private const int Kills = 2;

    private readonly TemporaryDirectory _directory = new();
    private readonly BankPlan _plan;
    private readonly BankClient _bank;

    public KilledBankTests()
    {
        _plan = BankPlan.Create(_directory.Path);
        _bank = new(_plan.Address);
    }

    public void Dispose()
    {
        _bank.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task Kill_9_of_the_whole_bank_loses_and_doubles_nothing()
    {
        var program = await _plan.StartAsync();
        try
        {
            await using var load = BankLoad.Start(_bank);
            await load.ProgressAsync(more: 30);
            for (var kill = 0; kill < Kills; kill++)
            {
                var before = _bank.Repeated;
                await program.KillAsync();
                await Eventually.BecomesAsync(() => Task.FromResult(_bank.Repeated), count => count > before);
                program = await RestartAsync(program);
                await load.ProgressAsync(more: 15);
            }

            await load.StopAsync();
            await program.KillAsync();
            program = await RestartAsync(program);
            await load.Ledger.VerifyAsync(_bank);
        }
        finally
        {
            await program.DisposeAsync();
        }
    }

    [Fact]
    public async Task Silos_killed_and_started_one_after_the_other_lose_and_double_nothing()
    {
        await using var program = await _plan.StartAsync();
        await using var load = BankLoad.Start(_bank);
        await load.ProgressAsync(more: 15);
        foreach (var silo in new[] { "a", "b", "c" })
        {
            await SiloButtons.KillAsync(_bank, silo);
            await load.ProgressAsync(more: 15);
            await SiloButtons.StartAsync(_bank, silo);
            await load.ProgressAsync(more: 15);
        }

        await load.StopAsync();
        await load.Ledger.VerifyAsync(_bank);
    }

    private async Task<SampleProgram> RestartAsync(SampleProgram killed)
    {
        await killed.DisposeAsync();
        return await _plan.StartAsync();
    }
}
