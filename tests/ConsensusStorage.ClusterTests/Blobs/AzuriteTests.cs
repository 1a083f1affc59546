using System.Diagnostics;
using System.Globalization;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using Orleans.Consensus.Azurite;
using Orleans.Consensus.ClusterTests.Support;

namespace Orleans.Consensus.ClusterTests.Blobs;

/// <summary>That Azurite does what logs in append blobs rest on, and that tests can break it as they need.</summary>
public sealed class AzuriteTests : IAsyncLifetime
{
    private static readonly TimeSpan ShortTry = TimeSpan.FromSeconds(1);

    private AzuriteServer? _azurite;

    private AzuriteServer Azurite => _azurite!;

    public async ValueTask InitializeAsync() =>
        _azurite = await AzuriteServer.StartAsync(cancellationToken: TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_azurite is not null)
        {
            await _azurite.DisposeAsync();
        }
    }

    [Fact]
    public async Task Append_at_another_position_is_refused()
    {
        var blob = await LogAsync();
        await AppendAsync(blob, "first", at: 0);

        var refused = await Assert.ThrowsAsync<RequestFailedException>(() => AppendAsync(blob, "again", at: 0));

        Assert.Equal(412, refused.Status);
        Assert.Equal(BlobErrorCode.AppendPositionConditionNotMet, refused.ErrorCode);
        Assert.Equal("first", await TextAsync(blob));
    }

    [Fact]
    public async Task Of_appends_at_one_position_one_is_taken()
    {
        var blob = await LogAsync();

        var taken = await Task.WhenAll(Enumerable.Range(0, 8).Select(async number =>
        {
            try
            {
                await AppendAsync(blob, number.ToString(CultureInfo.InvariantCulture), at: 0);
                return number;
            }
            catch (RequestFailedException refused) when (refused.Status == 412)
            {
                return -1;
            }
        }));

        var winner = Assert.Single(taken, number => number >= 0);
        Assert.Equal(winner.ToString(CultureInfo.InvariantCulture), await TextAsync(blob));
    }

    [Fact]
    public async Task What_exists_is_not_created_again()
    {
        var blob = await LogAsync();
        await AppendAsync(blob, "kept", at: 0);

        var refused = await Assert.ThrowsAsync<RequestFailedException>(() => CreateAsync(blob));

        Assert.Equal(409, refused.Status);
        Assert.Equal(BlobErrorCode.BlobAlreadyExists, refused.ErrorCode);
        Assert.Equal("kept", await TextAsync(blob));
    }

    [Fact]
    public async Task What_was_answered_survives_a_kill()
    {
        var blob = await LogAsync();
        await AppendAsync(blob, "before", at: 0);
        Azurite.Kill();
        Assert.False(Azurite.IsRunning);
        var missing = await Assert.ThrowsAsync<RequestFailedException>(() => TextAsync(blob));
        Assert.Equal(0, missing.Status);

        await Azurite.StartAgainAsync(TestContext.Current.CancellationToken);
        await AppendAsync(blob, " and after", at: 6);

        Assert.Equal("before and after", await TextAsync(blob));
    }

    [Fact]
    public async Task A_paused_server_answers_nothing_until_it_goes_on()
    {
        var blob = await LogAsync();
        Azurite.Pause();
        var append = AppendAsync(Log(TimeSpan.FromMinutes(1)), "late", at: 0);
        var timeout = await Record.ExceptionAsync(() => AppendAsync(blob, "lost", at: 0));
        Assert.IsAssignableFrom<OperationCanceledException>(timeout);
        Assert.False(append.IsCompleted);

        Azurite.Resume();

        // Both appends are in its hands, one of them without a caller: at one position it takes one alone.
        var failure = await Record.ExceptionAsync(() => append);
        Assert.Equal(failure is null ? "late" : "lost", await TextAsync(blob));
    }

    [Fact]
    public async Task A_paused_server_can_be_killed()
    {
        Azurite.Pause();
        Azurite.Kill();

        await Azurite.StartAgainAsync(TestContext.Current.CancellationToken);

        await LogAsync();
    }

    [Fact]
    public async Task Servers_do_not_share_accounts()
    {
        await using var other = await AzuriteServer.StartAsync(
            cancellationToken: TestContext.Current.CancellationToken);
        await LogAsync();

        Assert.NotEqual(Azurite.ConnectionString, other.ConnectionString);
        var mistaken = Azurite.ConnectionString.Replace($":{Azurite.Port}/", $":{other.Port}/");
        var refused = await Assert.ThrowsAsync<RequestFailedException>(
            () => new BlobContainerClient(mistaken, "logs", Options(ShortTry)).CreateAsync());
        Assert.Equal(403, refused.Status);
    }

    [Fact]
    public async Task A_server_that_does_not_start_says_why()
    {
        using var directory = new TemporaryDirectory();
        var broken = Path.Combine(directory.Path, "__azurite_db_blob__.json");
        Directory.CreateDirectory(broken);

        var exception = await Assert.ThrowsAsync<AzuriteException>(() => AzuriteServer.StartAsync(
            new() { Directory = directory.Path }, TestContext.Current.CancellationToken));

        Assert.Contains("__azurite_db_blob__.json", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_server_ends_when_nobody_can_stop_it_any_more(bool paused)
    {
        string[] arguments = paused ? ["1", "paused"] : ["1"];
        using var starter = Process.Start(new ProcessStartInfo(
            "dotnet", [Path.Combine(AppContext.BaseDirectory, "ConsensusStorage.Azurite.dll"), .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;

        var line = await starter.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
        var server = int.Parse(line!.Split(' ')[0], CultureInfo.InvariantCulture);
        Assert.Equal(paused, StateOf(server) == 'T');
        starter.Kill();

        // Whoever inherits it may leave it as a zombie.
        await Eventually.BecomesAsync(() => Task.FromResult(StateOf(server)), state => state is null or 'Z');
    }

    /// <summary>The letter of a process' state; null if there is none.</summary>
    private static char? StateOf(int process)
    {
        try
        {
            var status = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/stat"));
            return status[status.LastIndexOf(')') + 2];
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static BlobClientOptions Options(TimeSpan timeout)
    {
        var options = new BlobClientOptions();
        options.Retry.MaxRetries = 0;
        options.Retry.NetworkTimeout = timeout;
        return options;
    }

    private static async Task CreateAsync(AppendBlobClient blob) => await blob.CreateAsync(
        new AppendBlobCreateOptions { Conditions = new() { IfNoneMatch = ETag.All } });

    private static async Task AppendAsync(AppendBlobClient blob, string text, long at) => await blob.AppendBlockAsync(
        BinaryData.FromString(text).ToStream(),
        new AppendBlobAppendBlockOptions { Conditions = new() { IfAppendPositionEqual = at } });

    private static async Task<string> TextAsync(AppendBlobClient blob) =>
        (await blob.DownloadContentAsync()).Value.Content.ToString();

    private AppendBlobClient Log(TimeSpan timeout) => new BlobContainerClient(
        Azurite.ConnectionString, "logs", Options(timeout)).GetAppendBlobClient("segment");

    private async Task<AppendBlobClient> LogAsync()
    {
        await new BlobContainerClient(Azurite.ConnectionString, "logs", Options(Eventually.Patience)).CreateAsync();
        var blob = Log(ShortTry);
        await CreateAsync(blob);
        return blob;
    }
}
