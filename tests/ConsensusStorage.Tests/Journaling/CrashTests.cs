using Orleans.Consensus.Journaling;

namespace Orleans.Consensus.Tests.Journaling;

/// <summary>
/// A crash, a kill or a failure at every file operation of a log's life: what was acknowledged is there afterwards.
/// </summary>
public sealed class CrashTests
{
    [Theory]
    [InlineData("crash")]
    [InlineData("kill")]
    [InlineData("fail")]
    [InlineData("full")]
    public async Task Nothing_acknowledged_is_lost_whatever_operation_goes_wrong(string fault)
    {
        for (var seed = 1; seed <= 3; seed++)
        {
            for (var at = 1; await LiveAsync(seed, at, fault); at++)
            {
            }
        }
    }

    [Theory]
    [InlineData("crash")]
    [InlineData("kill")]
    [InlineData("fail")]
    public async Task Nothing_acknowledged_is_lost_when_the_repair_after_a_crash_goes_wrong_too(string fault)
    {
        for (var seed = 1; seed <= 24; seed++)
        {
            for (var at = 1; await RecoverAsync(seed, at, fault); at++)
            {
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task A_log_survives_a_random_life(int part)
    {
        for (var seed = part * 1000; seed < part * 1000 + 40; seed++)
        {
            await LiveAtRandomAsync(seed);
        }
    }

    /// <summary>A life with one fault at operation <paramref name="at"/>; false if it has fewer operations.</summary>
    private static async Task<bool> LiveAsync(int seed, int at, string fault)
    {
        var because = $"seed {seed}, {fault} at operation {at}";
        var files = new FaultyFiles(new Random(seed * 7919 + at));
        var log = new TestLog(files, seed: seed);
        var model = new LogModel();
        files.Plan = FaultAt(files, at, fault);
        try
        {
            for (var opening = 0; opening < 2; opening++)
            {
                await using var journal = await log.OpenAsync();
                model.Check(log.Replayed, because);
                for (var i = 0; i < 12; i++)
                {
                    await model.AppendAsync(journal, TestLog.Bytes(seed + i, 700 + i * 60), TestLog.Bytes(i, i));
                }
            }
        }
        catch (JournalException exception) when (IsExpected(exception))
        {
        }

        files.Plan = null;
        await CheckLifeGoesOnAsync(files, log, model, because);
        return files.Operations >= at;
    }

    /// <summary>
    /// A crash in an append, then a fault at operation <paramref name="at"/> of the opening after it.
    /// </summary>
    private static async Task<bool> RecoverAsync(int seed, int at, string fault)
    {
        var because = $"seed {seed}, {fault} at operation {at} of the repair";
        var files = new FaultyFiles(new Random(seed * 7919 + at));
        var log = new TestLog(files, seed: seed);
        var model = new LogModel();
        var journal = await log.OpenAsync();
        for (var i = 0; i < seed % 8; i++)
        {
            await model.AppendAsync(journal, TestLog.Bytes(i, 600));
        }

        files.Plan = operation => new(
            operation.Action == FileAction.WriteAndFlush ? FileFault.Crash : FileFault.None);
        await Assert.ThrowsAsync<JournalLostException>(() => model.AppendAsync(journal, TestLog.Bytes(9, 2000)));

        var before = files.Operations;
        files.Plan = FaultAt(files, before + at, fault);
        try
        {
            await using var reopened = await log.OpenAsync();
            model.Check(log.Replayed, because);
        }
        catch (JournalException exception) when (IsExpected(exception))
        {
        }

        var reached = files.Operations >= before + at;
        files.Plan = null;
        await CheckLifeGoesOnAsync(files, log, model, because);
        return reached;
    }

    private static async Task LiveAtRandomAsync(int seed)
    {
        var random = new Random(seed);
        var files = new FaultyFiles(random);
        var log = new TestLog(files, seed: seed);
        var model = new LogModel();
        for (var life = 0; life < 12; life++)
        {
            var fault = random.Next(5) switch { 0 => "none", 1 => "kill", 2 => "fail", _ => "crash" };
            files.Plan = FaultAt(files, files.Operations + random.Next(1, 60), fault);
            try
            {
                await using var journal = await log.OpenAsync();
                model.Check(log.Replayed, $"seed {seed}, life {life}");
                for (var i = random.Next(20); i > 0; i--)
                {
                    var size = random.Next(4) == 0 ? random.Next(9000) : random.Next(300);
                    var record = random.Next(3) == 0 ? new byte[size] : TestLog.Bytes(random.Next(), size);
                    await model.AppendAsync(journal, record, TestLog.Bytes(random.Next(), random.Next(50)));
                }
            }
            catch (JournalException exception) when (IsExpected(exception))
            {
            }

            if (random.Next(3) == 0)
            {
                files.Crash();
            }
        }

        files.Plan = null;
        await CheckLifeGoesOnAsync(files, log, model, $"seed {seed}");
    }

    private static async Task CheckLifeGoesOnAsync(FaultyFiles files, TestLog log, LogModel model, string because)
    {
        model.Check(await log.ReplayAsync(), because);

        // What was shown must stay, whatever it was read from.
        files.Crash();
        await using (var journal = await log.OpenAsync())
        {
            model.Check(log.Replayed, because + ", then power was lost");
            await model.AppendAsync(journal, TestLog.Bytes(1, 5000));
        }

        model.Check(await log.ReplayAsync(), because + ", at the end");
    }

    private static FilePlan FaultAt(FaultyFiles files, long at, string fault) => operation =>
    {
        if (operation.Number != at)
        {
            return new(FileFault.None);
        }

        switch (fault)
        {
            case "crash":
                return new(FileFault.Crash);
            case "fail":
                return new(FileFault.Fail);
            case "full":
                return new(FileFault.Full);
            case "kill":
                files.Kill();
                return new(FileFault.None);
            default:
                return new(FileFault.None);
        }
    };

    /// <summary>No fault of one disk operation may look like damage.</summary>
    private static bool IsExpected(JournalException exception) =>
        exception is JournalLostException or JournalUnavailableException or JournalFullException;
}
