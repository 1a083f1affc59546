using System.Net;
using Orleans.Consensus.ClusterTests.Support;
using Orleans.Consensus.Crashes.Bank;
using Orleans.Consensus.Crashes.Processes;

namespace Orleans.Consensus.ClusterTests.Bank;

/// <summary>The bank is told to stop.</summary>
[Collection(nameof(BankProcesses))]
public sealed class StoppedBankTests : IDisposable
{
    /// <summary>3 seconds for customers, 12 and then 10 for silos, and the rest for a busy machine.</summary>
    private static readonly TimeSpan StopTimeout = Eventually.Patience;

    private readonly TemporaryDirectory _directory = new();
    private readonly BankPlan _plan;
    private readonly BankClient _bank;

    public StoppedBankTests()
    {
        _plan = BankPlan.Create(_directory.Path);
        _bank = new(_plan.Address);
    }

    private string Document => _plan.MembershipDocument;

    public void Dispose()
    {
        _bank.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task A_stop_is_clean_and_the_balances_are_there_again()
    {
        await using (var program = await _plan.StartAsync())
        {
            Assert.Equal(12.34m, (await DepositAsync("d1", 12.34m)).Balance);
            await AssertCleanStopAsync(program, SampleProgram.Terminate);
        }

        await using (var program = await _plan.StartAsync())
        {
            Assert.Equal(12.34m, (await _bank.GetAsync("/accounts/alice")).Balance);
            Assert.Equal((20m, 2L), await DepositTwiceAsync("d2", 7.66m));
            await AssertCleanStopAsync(program, SampleProgram.Interrupt);
        }
    }

    [Fact]
    public async Task A_stop_during_the_start_ends_the_process_too()
    {
        await using var program = SampleProgram.Start(_plan.Arguments);
        await program.PrintsAsync("The bank starts: ");

        // Orleans complains of a silo that stops before it has joined; that is its own affair.
        Assert.Equal(0, await program.StopAsync(SampleProgram.Terminate, StopTimeout));
        Assert.Equal("Stopping.", program.Output[^1]);
    }

    [Fact]
    public async Task A_stop_ends_a_first_start_that_does_not_come_to_its_end()
    {
        await using var program = SampleProgram.Start((_plan with { Silos = 1 }).Arguments);
        await Eventually.BecomesAsync(() => Task.FromResult(File.Exists(Document)), exists => exists);
        Directory.Delete(_plan.ClusterDirectory, recursive: true);

        await program.StopAsync(SampleProgram.Terminate, StopTimeout);
        Assert.Equal("Stopping.", program.Output[^1]);
    }

    [Fact]
    public async Task A_stop_under_load_is_clean_and_loses_and_doubles_nothing()
    {
        await using var program = await _plan.StartAsync();
        await using var load = BankLoad.Start(_bank);
        await load.ProgressAsync(more: 10);

        Assert.Equal(0, await program.StopAsync(SampleProgram.Terminate, StopTimeout));

        await using var again = await _plan.StartAsync();
        await load.ProgressAsync(more: 5);
        await load.StopAsync();
        await load.Ledger.VerifyAsync(_bank);
    }

    [Fact]
    public async Task A_stop_ends_also_where_the_membership_is_gone_and_a_silo_starts_and_says_that_it_was_not_clean()
    {
        await using var program = await _plan.StartAsync();
        await SiloButtons.KillAsync(_bank, "b");

        // Gone once a silo has begun to join: from then on Orleans asks for it again and again.
        var before = File.GetLastWriteTimeUtc(Document);
        var start = _bank.PostAsync("/cluster/silos/b/start");
        await Eventually.BecomesAsync(() => Task.FromResult(File.GetLastWriteTimeUtc(Document)), at => at > before);
        Directory.Delete(_plan.ClusterDirectory, recursive: true);

        Assert.Equal(1, await program.StopAsync(SampleProgram.Terminate, StopTimeout));
        Assert.Contains(program.Errors, line => line.Contains("has not ended in time", StringComparison.Ordinal));
        await start.ContinueWith(_ => { }, TaskScheduler.Default);
    }

    private static async Task AssertCleanStopAsync(SampleProgram program, int signal)
    {
        // What a busy machine made silos complain of before is not the stop's.
        var before = program.Errors.Count;
        Assert.Equal(0, await program.StopAsync(signal, StopTimeout));
        Assert.Equal("Stopping.", program.Output[^1]);
        Assert.Equal("", string.Join('\n', program.Errors.Skip(before).Where(IsUnclean)));

        static bool IsUnclean(string line) => line.Contains("exception", StringComparison.OrdinalIgnoreCase)
            || line.Contains("cleanly", StringComparison.Ordinal);
    }

    private async Task<Answer> DepositAsync(string requestId, decimal amount)
    {
        var answer = await _bank.PostAsync("/accounts/alice/deposit", new { amount, requestId });
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        return answer;
    }

    private async Task<(decimal Balance, long Version)> DepositTwiceAsync(string requestId, decimal amount)
    {
        await DepositAsync(requestId, amount);
        var repeated = await DepositAsync(requestId, amount);
        return (repeated.Balance, repeated.Version);
    }
}
