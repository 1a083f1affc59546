using System.Net;
using Orleans.Consensus.ClusterTests.Support;
using Orleans.Consensus.Crashes.Bank;
using Orleans.Consensus.Crashes.Processes;

namespace Orleans.Consensus.ClusterTests.Bank;

/// <summary>The whole bank, or a silo of it, ends while customers use it: what was acknowledged stays.</summary>
[Collection(nameof(BankProcesses))]
public sealed class KilledBankTests : IDisposable
{
    private const int Kills = 2;
    private const int Transfers = 24;

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

    [Fact]
    public async Task Transfers_that_nobody_repeats_after_a_kill_9_are_finished_all_the_same()
    {
        var program = await _plan.StartAsync();
        try
        {
            await _bank.PostAsync("/accounts/alice/deposit", new { amount = Transfers, requestId = "d1" });
            var sent = Enumerable.Range(0, Transfers).Select(TransferAsync).ToList();
            await Task.WhenAny(sent);
            await program.KillAsync();
            var acknowledged = await Task.WhenAll(sent);
            program = await RestartAsync(program);

            var states = await Eventually.BecomesAsync(
                () => Task.WhenAll(Enumerable.Range(0, Transfers).Select(StateAsync)),
                states => states.All(state => state is "done" or null));
            Assert.All(acknowledged.Zip(states), each => Assert.True(!each.First || each.Second == "done"));
            var done = states.Count(state => state is not null);
            Assert.Equal(done, (await _bank.GetAsync("/accounts/bob?fresh=true")).Balance);
            Assert.Equal(Transfers - done, (await _bank.GetAsync("/accounts/alice?fresh=true")).Balance);
        }
        finally
        {
            await program.DisposeAsync();
        }
    }

    /// <summary>Asks once; returns whether there was an answer.</summary>
    private async Task<bool> TransferAsync(int number)
    {
        try
        {
            var answer = await _bank.PostAsync(
                "/transfers", new { from = "alice", to = "bob", amount = 1, requestId = $"t{number}" });
            return answer.Status == HttpStatusCode.OK;
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            return false;
        }
    }

    /// <summary>Null if the bank knows nothing of the transfer.</summary>
    private async Task<string?> StateAsync(int number)
    {
        var answer = await _bank.GetAsync($"/transfers/t{number}");
        return answer.Status == HttpStatusCode.NotFound ? null : answer.Text("state");
    }

    private async Task<SampleProgram> RestartAsync(SampleProgram killed)
    {
        await killed.DisposeAsync();
        return await _plan.StartAsync();
    }
}
