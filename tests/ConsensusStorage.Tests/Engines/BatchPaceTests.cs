using Orleans.Consensus.Paxos;
using Orleans.Consensus.Transport;

namespace Orleans.Consensus.Tests.Engines;

/// <summary>When a replica begins its next batch.</summary>
public sealed class BatchPaceTests
{
    private readonly ReplicaBench _bench = new();
    private int _keys;

    [Fact]
    public void After_a_slow_append_a_batch_waits_for_as_many_requests_as_that_had() => _bench.Run(async () =>
    {
        await AppendAsync(requests: 3, takes: 8);
        _ = Post();
        _ = Post();
        await _bench.SettleAsync();
        Assert.Equal([1, 3], _bench.Journal.Appends);

        _ = Post();
        await _bench.SettleAsync();
        Assert.Equal([1, 3, 3], _bench.Journal.Appends);
    });

    [Fact]
    public void It_waits_for_no_longer_than_half_of_the_append() => _bench.Run(async () =>
    {
        await AppendAsync(requests: 3, takes: 8);
        _ = Post();
        await _bench.SettleAsync();
        Assert.Equal([1, 3], _bench.Journal.Appends);

        await Pass(3);
        Assert.Equal([1, 3, 1], _bench.Journal.Appends);
    });

    [Fact]
    public void It_waits_for_no_longer_than_the_longest_pause() => _bench.Run(async () =>
    {
        await AppendAsync(requests: 3, takes: 100);
        _ = Post();
        await Pass(4);
        Assert.Equal([1, 3], _bench.Journal.Appends);

        await Pass(1);
        Assert.Equal([1, 3, 1], _bench.Journal.Appends);
    });

    [Fact]
    public void Who_is_alone_never_waits() => _bench.Run(async () =>
    {
        await AppendAsync(requests: 1, takes: 8);
        _ = Post();
        await _bench.SettleAsync();
        Assert.Equal([1, 1, 1], _bench.Journal.Appends);
    });

    [Fact]
    public void After_a_while_nobody_waits() => _bench.Run(async () =>
    {
        await AppendAsync(requests: 3, takes: 8);
        await Pass(4);
        _ = Post();
        await _bench.SettleAsync();
        Assert.Equal([1, 3, 1], _bench.Journal.Appends);
    });

    [Fact]
    public void After_a_quick_append_nobody_waits() => _bench.Run(async () =>
    {
        await AppendAsync(requests: 3, takes: 1);
        _ = Post();
        await _bench.SettleAsync();
        Assert.Equal([1, 3, 1], _bench.Journal.Appends);
    });

    [Fact]
    public void Who_stops_meanwhile_is_not_held_up() => _bench.Run(async () =>
    {
        await AppendAsync(requests: 3, takes: 8);
        var late = Post();
        await _bench.CloseAsync();
        Assert.Null((await late).Refusal);
        Assert.Equal([1, 3, 1], _bench.Journal.Appends);
    });

    /// <summary>One append of so many requests and milliseconds, behind a quick one that they wait for.</summary>
    private async Task AppendAsync(int requests, int takes)
    {
        _bench.Journal.Hold();
        _ = Post();
        await _bench.SettleAsync();
        var replies = Enumerable.Range(0, requests).Select(_ => Post()).ToList();
        _bench.Journal.ReleaseAndHold();
        await Pass(takes);
        _bench.Journal.Release();
        foreach (var reply in replies)
        {
            Assert.Null((await reply).Refusal);
        }
    }

    private Task<BatchReply> Post() =>
        _bench.Post(($"k{_keys++}", new Prepare(_bench.BallotAt(0), WantPayload: false)));

    private Task Pass(int milliseconds) => _bench.Scheduler.Time.Pass(TimeSpan.FromMilliseconds(milliseconds));
}
