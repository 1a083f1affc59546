using Orleans.Consensus.Journaling.Blobs;
using Orleans.Consensus.Simulation.Blobs;

namespace Orleans.Consensus.Tests.Simulation;

/// <summary>What a process has sent, and what it hears of it.</summary>
public sealed class ProcessBlobsTests
{
    private static readonly TimeSpan Way = TimeSpan.FromMilliseconds(10);

    private readonly SimulatedScheduler _kernel = new();
    private readonly SimulatedProcess _process;
    private readonly BlobAccount _account;
    private readonly ProcessBlobs _blobs;

    public ProcessBlobsTests()
    {
        _process = new(_kernel);
        _account = new(_kernel.Time, new(1))
        {
            Plan = async _ =>
            {
                await _kernel.Time.Pass(Way);
                return BlobFault.None;
            },
        };
        _account.Put("blob", [0]);
        _blobs = new(_account.ClientOf("client"), _process, _kernel);
    }

    [Fact]
    public void What_was_sent_lands_though_its_process_has_ended() => _kernel.Run(async () =>
    {
        var appending = _process.RunAsync(AppendAsync);
        await _kernel.Time.Pass(Way / 2);
        _process.End();
        await Assert.ThrowsAsync<IOException>(() => appending);
        await _kernel.Time.Pass(Way);
        Assert.Equal([0, 7], _account.Get("blob"));
    });

    [Fact]
    public void Who_stands_still_hears_nothing_until_it_goes_on() => _kernel.Run(async () =>
    {
        var appending = _process.RunAsync(AppendAsync);
        await _kernel.Time.Pass(Way / 2);
        _process.Pause();
        await _kernel.Time.Pass(Way);
        Assert.Equal([0, 7], _account.Get("blob"));
        Assert.False(appending.IsCompleted);
        _process.Resume();
        await appending;
    });

    [Fact]
    public void Who_has_ended_sends_nothing_more() => _kernel.Run(async () =>
    {
        _process.End();
        await Assert.ThrowsAsync<IOException>(AppendAsync);
        Assert.Equal(0, _account.Requests);
    });

    [Fact]
    public void What_was_given_up_lands_all_the_same_and_touches_no_buffer() => _kernel.Run(async () =>
    {
        using var stop = new CancellationTokenSource();
        var buffer = new byte[] { 9 };
        var reading = _blobs.ReadAsync("blob", 0, buffer, stop.Token).AsTask();
        var appending = _blobs.AppendAsync("blob", 1, new byte[] { 7 }, hold: null, stop.Token).AsTask();
        stop.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => appending);
        await _kernel.Time.Pass(Way * 2);
        Assert.Equal([0, 7], _account.Get("blob"));
        Assert.Equal([9], buffer);
    });

    private async Task AppendAsync() => Assert.Equal(
        AppendOutcome.Appended,
        await _blobs.AppendAsync("blob", 1, new byte[] { 7 }, hold: null, CancellationToken.None));
}
