using Orleans.Consensus.Crashes.Runs;

namespace Orleans.Consensus.ClusterTests.Bank;

/// <summary>
/// The crash suite in its short form: on three silos that are processes, each kind of fault once; over blobs only
/// that which files don't know, and that after which a host has to be fenced.
/// </summary>
[Collection(nameof(BankProcesses))]
public sealed class CrashTests
{
    [Theory]
    [InlineData("file", "")]
    [InlineData("azure", "kill-account,stand-still")]
    public async Task Whatever_is_killed_stopped_or_lost_every_acknowledged_order_is_there_once(
        string storage, string faults)
    {
        var told = new StringWriter();
        var options = new CrashOptions
        {
            Storage = storage,
            Faults = faults.Split(',', StringSplitOptions.RemoveEmptyEntries),
            Minutes = 0,
            Seed = 1,
        };

        var code = await CrashRun.RunAsync(options, told, TestContext.Current.CancellationToken);

        Assert.True(code == ExitCode.Clean, told.ToString());
    }

    [Theory]
    [InlineData("--silos 4")]
    [InlineData("--storage tape")]
    [InlineData("--minutes -1")]
    [InlineData("--faults meteor")]
    [InlineData("--faults kill-account")]
    [InlineData("--storage azure --faults lost-directory")]
    [InlineData("--goals")]
    [InlineData("--data .")]
    [InlineData("--hurry")]
    [InlineData("cold-start --program nowhere")]
    public async Task A_command_line_that_makes_no_sense_is_not_run(string arguments)
    {
        var errors = new StringWriter();

        var code = await CrashCommand.InvokeAsync(
            arguments.Split(' '), new() { Output = TextWriter.Null, Error = errors });

        Assert.Equal(ExitCode.Misused, code);
        Assert.NotEqual("", errors.ToString());
    }
}
