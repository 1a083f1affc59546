using Microsoft.Extensions.Time.Testing;
using Orleans.Consensus.Journaling;

namespace Orleans.Consensus.Tests.Journaling;

/// <summary>The header of a whole store, on a disk that does everything bad that a disk may do.</summary>
public sealed class StoreMarkTests
{
    [Fact]
    public async Task The_header_of_a_store_survives_a_loss_of_power_as_soon_as_anything_can_be_built_on_it()
    {
        for (var seed = 0; seed < 24; seed++)
        {
            var files = new FaultyFiles(new(seed));
            await MarkAsync(files, mayCreate: true);
            files.Crash();
            await MarkAsync(files, mayCreate: false);
        }
    }

    [Theory]
    [InlineData("crash")]
    [InlineData("fail")]
    public async Task Whatever_goes_wrong_while_it_is_made_it_is_whole_or_made_again(string fault)
    {
        for (var seed = 0; seed < 8; seed++)
        {
            for (var at = 1; await LiveAsync(seed, at, fault == "crash" ? FileFault.Crash : FileFault.Fail); at++)
            {
            }
        }
    }

    private static async Task<bool> LiveAsync(int seed, int at, FileFault fault)
    {
        var files = new FaultyFiles(new((seed * 31) + at));
        files.Plan = operation => new(operation.Number == at ? fault : FileFault.None);
        try
        {
            await MarkAsync(files, mayCreate: true);
        }
        catch (JournalUnavailableException)
        {
        }

        files.Plan = null;
        var reached = files.Operations >= at;
        await MarkAsync(files, mayCreate: true);
        files.Crash();
        await MarkAsync(files, mayCreate: false);
        return reached;
    }

    private static async Task MarkAsync(FaultyFiles files, bool mayCreate)
    {
        var store = new FileJournalStore(files, "/logs", TestLog.SmallSegments, new FakeTimeProvider(), new Random(1));
        await store.MarkAsync(TestLog.DefaultIdentity, mayCreate, TestContext.Current.CancellationToken);
    }
}
