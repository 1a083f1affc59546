using System.Collections.Concurrent;
using Azure.Core;
using Azure.Storage.Blobs;
using Orleans.Consensus.ClusterTests.Support;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Journaling.Blobs;

namespace Orleans.Consensus.ClusterTests.Blobs;

/// <summary>One log in an account, its owners, and what each of them was told.</summary>
[Collection(nameof(BreakableAccounts))]
public sealed class SharedLogTests(BreakableAccounts accounts) : IAsyncLifetime
{
    private const byte Kind = 16;

    private static readonly TimeSpan Try = TimeSpan.FromMilliseconds(500);

    private readonly string _container = $"log-{Guid.NewGuid():N}";
    private readonly CountedAppends _appends = new();
    private readonly ConcurrentQueue<AppendResolution> _resolutions = [];
    private string _account = accounts[0].ConnectionString;
    private int _records;

    public async ValueTask InitializeAsync() => await accounts.RestoreAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    [Trait("Rule", "S17")]
    public async Task Owners_that_go_on_until_they_are_fenced_lose_nothing_that_they_were_told()
    {
        // One that saves at each answer serves requests in turn so strictly that whoever wants to take over is late.
        _account = (await SharedAccounts.TakeAsync(1))[0];
        var told = new List<string>();
        var (owner, _) = await OpenAsync("owner 0");
        for (var round = 1; round <= 4; round++)
        {
            var goal = told.Count + Random.Shared.Next(1, 40);
            var from = owner;
            var appending = Task.Run(() => AppendUntilItFailsAsync(from, told));
            await Eventually.BecomesAsync(
                () => Task.FromResult(CountOf(told)), count => count >= goal || appending.IsCompleted);

            var (next, replayed) = await OpenAsync($"owner {round}");

            Assert.IsType<JournalFencedException>(await appending);
            Assert.Equal(told, replayed);
            Assert.True(next.Epoch > owner.Epoch);
            await owner.DisposeAsync();
            owner = next;
        }

        await AppendAsync(owner, told, 700);
        await owner.DisposeAsync();
        Assert.Equal(told, (await OpenAsync("last")).Replayed);
    }

    [Fact]
    [Trait("Rule", "S18")]
    public async Task An_append_to_a_paused_account_is_done_once_when_the_account_goes_on()
    {
        var told = new List<string>();
        var (journal, _) = await OpenAsync("owner");
        await AppendAsync(journal, told, 700);
        _resolutions.Clear();
        var before = _appends.Begun;
        accounts[0].Pause();
        var append = AppendAsync(journal, told, 700);
        await Eventually.BecomesAsync(() => Task.FromResult(_appends.Begun), begun => begun >= before + 2);
        Assert.False(append.IsCompleted);

        accounts[0].Resume();
        await append;
        await AppendAsync(journal, told, 700);
        await journal.DisposeAsync();

        Assert.Contains(Assert.Single(_resolutions), new[] { AppendResolution.Landed, AppendResolution.Retried });
        Assert.Equal(told, (await OpenAsync("last")).Replayed);
    }

    private static int CountOf(List<string> told)
    {
        lock (told)
        {
            return told.Count;
        }
    }

    private async Task<Exception> AppendUntilItFailsAsync(IJournal journal, List<string> told)
    {
        while (true)
        {
            try
            {
                await AppendAsync(journal, told, Random.Shared.Next(1, 3000));
            }
            catch (Exception exception)
            {
                return exception;
            }
        }
    }

    /// <summary>Appends one record, and notes it as soon as it is told to be durable.</summary>
    private async Task AppendAsync(IJournal journal, List<string> told, int length)
    {
        var bytes = new byte[length + sizeof(int)];
        BitConverter.TryWriteBytes(bytes, ++_records);
        var batch = new JournalBatch();
        batch.Add(Kind, bytes);
        await journal.AppendAsync(batch, CancellationToken.None);
        lock (told)
        {
            told.Add(Convert.ToHexString(bytes));
        }
    }

    /// <summary>Opens the log as another owner, which takes it from whoever has it.</summary>
    private async Task<(IJournal Journal, List<string> Replayed)> OpenAsync(string owner)
    {
        var options = AzureAppendBlobs.OptionsFor(Try);
        options.AddPolicy(_appends, HttpPipelinePosition.PerRetry);
        var container = new BlobContainerClient(_account, _container, options);
        var store = new BlobJournalStore(
            _ => new AzureAppendBlobs(container, Try, TimeProvider.System),
            "logs",
            new() { SegmentBytes = 32768 },
            TimeProvider.System,
            Random.Shared,
            _resolutions.Enqueue);
        var replayed = new List<string>();
        var journal = await store.OpenAsync(
            new("service", "Default", new("a"), "a,b,c", 4, 1, new(1)),
            new("cluster", owner),
            null,
            (_, _, record) => replayed.Add(Convert.ToHexString(record)),
            TestContext.Current.CancellationToken);
        return (journal, replayed);
    }
}
