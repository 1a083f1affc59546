using Orleans.Consensus.Journaling;
using Orleans.Consensus.Simulation.Blobs;

namespace Orleans.Consensus.Tests.Journaling.Blobs;

/// <summary>Who takes a log over from a busy owner asks it to wait. That is a courtesy and no fence (S17).</summary>
public sealed class TailHoldTests
{
    [Fact]
    public void A_fence_that_came_too_late_is_tried_again_at_once() => Run(async bench =>
    {
        await using var owner = await bench.Silo("s1").OpenAsync();
        var requests = new List<BlobAction>();
        var lost = 0;
        bench.Account.Plan = async request =>
        {
            requests.Add(request.Action);
            if (request is { Client: "s2", Action: BlobAction.Append } && lost++ < 2)
            {
                await TestLog.AppendAsync(owner, [1]);
            }

            return BlobFault.None;
        };
        await using var taker = await bench.Silo("s2").OpenAsync();

        // Its own appends, each but the last followed by one look at what took the place.
        BlobAction[] race = [BlobAction.Append, BlobAction.Append, BlobAction.Read];
        BlobAction[] held = [BlobAction.Hold, BlobAction.Read, BlobAction.Append, BlobAction.Release];
        Assert.Equal(
            [.. race, .. race, .. held], requests.SkipWhile(action => action != BlobAction.Append));
    });

    [Fact]
    public void An_owner_that_is_always_faster_waits_for_the_fence_in_the_end() => Run(async bench =>
    {
        await using var owner = await bench.Silo("s1").OpenAsync();
        var appends = new List<Task>();
        var fences = 0;
        bench.Account.Plan = async request =>
        {
            if (request is { Client: "s2", Action: BlobAction.Append })
            {
                fences++;
                appends.Add(TestLog.AppendAsync(owner, [(byte)fences]));

                // It is faster unless it has to wait.
                await Task.WhenAny(appends[^1], bench.PassAsync(TimeSpan.FromMilliseconds(10)));
            }

            return BlobFault.None;
        };
        await using var taker = await bench.Silo("s2").OpenAsync();

        Assert.Equal(3, fences);
        await appends[0];
        await appends[1];
        await Assert.ThrowsAsync<JournalFencedException>(() => appends[2]);
        await TestLog.AppendAsync(taker, [4]);
        bench.Account.Plan = null;
        var replayed = await bench.ReplayAsync();
        Assert.Equal([1, 2, 4], replayed.Select(record => record.Bytes[0]));
    });

    [Fact]
    public void A_hold_whose_holder_died_is_ended_by_who_is_stopped_by_it() => Run(async bench =>
    {
        var silo = bench.Silo("s1");
        await using var owner = await silo.OpenAsync();
        Assert.True(bench.Account.Hold(bench.Tail, Guid.NewGuid()));
        var requests = Requests(bench);
        await TestLog.AppendAsync(owner, [1]);

        // Nothing of it is in doubt: each answer said that nothing was done.
        BlobAction[] stopped = [.. Enumerable.Repeat(BlobAction.Append, 6)];
        Assert.Equal([.. stopped, BlobAction.Break, BlobAction.Append], requests);
        Assert.Empty(silo.Resolutions);
        await using var taker = await bench.Silo("s2").OpenAsync();
        await TestLog.AppendAsync(taker, [2]);
    });

    [Fact]
    public void A_hold_stops_nobody_for_longer_who_had_to_wait_before() => Run(async bench =>
    {
        await using var owner = await bench.Silo("s1").OpenAsync();
        Assert.True(bench.Account.Hold(bench.Tail, Guid.NewGuid()));
        var requests = new List<BlobAction>();
        bench.Account.Plan = request =>
        {
            requests.Add(request.Action);
            return ValueTask.FromResult(requests.Count <= 7 ? BlobFault.Throttled : BlobFault.None);
        };

        await TestLog.AppendAsync(owner, [1]);

        // The pauses are longer than its patience by then: the second try that is stopped ends the hold.
        Assert.Equal(7 + 2, requests.IndexOf(BlobAction.Break));
        Assert.Single(await bench.ReplayAsync());
    });

    [Fact]
    public void Who_may_not_end_a_hold_waits_for_its_end() => Run(async bench =>
    {
        await using var owner = await bench.Silo("s1").OpenAsync();
        Assert.True(bench.Account.Hold(bench.Tail, Guid.NewGuid()));
        await bench.PassAsync(TimeSpan.FromSeconds(12));
        bench.Account.Plan = request => ValueTask.FromResult(
            request.Action == BlobAction.Break ? BlobFault.Denied : BlobFault.None);
        await TestLog.AppendAsync(owner, [1]);
        Assert.Single(await bench.ReplayAsync());
    });

    [Fact]
    public void A_hold_that_was_ended_under_its_holder_costs_it_a_try_and_no_more() => Run(async bench =>
    {
        await using var owner = await bench.Silo("s1").OpenAsync();
        var fences = 0;
        bench.Account.Plan = async request =>
        {
            if (request is { Client: "s2", Action: BlobAction.Append } && fences++ < 2)
            {
                await TestLog.AppendAsync(owner, [1]);
            }
            else if (request is { Client: "s2", Action: BlobAction.Append } && fences == 3)
            {
                bench.Account.Break(bench.Tail);
            }

            return BlobFault.None;
        };
        await using var taker = await bench.Silo("s2").OpenAsync();
        Assert.Equal(4, fences);
        await TestLog.AppendAsync(taker, [2]);
    });

    [Fact]
    public void Who_gives_the_opening_up_ends_its_hold() => Run(async bench =>
    {
        await using var owner = await bench.Silo("s1").OpenAsync();
        using var giveUp = new CancellationTokenSource();
        var fences = 0;
        bench.Account.Plan = async request =>
        {
            if (request is { Client: "s2", Action: BlobAction.Append } && fences++ < 2)
            {
                await TestLog.AppendAsync(owner, [1]);
            }
            else if (request.Action == BlobAction.Hold)
            {
                giveUp.Cancel();
            }

            return BlobFault.None;
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => bench.Silo("s2").OpenAsync(cancellationToken: giveUp.Token));
        Assert.True(bench.Account.Hold(bench.Tail, Guid.NewGuid()));
    });

    [Fact]
    public void A_hold_that_was_granted_without_an_answer_serves_and_is_released() => Run(async bench =>
    {
        await using var owner = await bench.Silo("s1").OpenAsync();
        var (fences, holds) = (0, 0);
        bench.Account.Plan = async request =>
        {
            if (request is { Client: "s2", Action: BlobAction.Append } && fences++ < 2)
            {
                await TestLog.AppendAsync(owner, [1]);
            }

            holds += request.Action == BlobAction.Hold ? 1 : 0;
            return request.Action == BlobAction.Hold ? BlobFault.Unanswered : BlobFault.None;
        };
        await using var taker = await bench.Silo("s2").OpenAsync();
        Assert.Equal(3, fences);
        Assert.True(holds > 1);
        Assert.True(bench.Account.Hold(bench.Tail, Guid.NewGuid()));
    });

    [Fact]
    public void What_the_owner_appends_while_it_is_being_held_up_is_seen_before_the_fence() => Run(async bench =>
    {
        await using var owner = await bench.Silo("s1").OpenAsync();
        var fences = 0;
        bench.Account.Plan = async request =>
        {
            var isFence = request is { Client: "s2", Action: BlobAction.Append };
            fences += isFence ? 1 : 0;
            if ((isFence && fences <= 2) || request is { Client: "s2", Action: BlobAction.Hold })
            {
                await TestLog.AppendAsync(owner, [1]);
            }

            return BlobFault.None;
        };
        await using var taker = await bench.Silo("s2").OpenAsync();
        Assert.Equal(3, fences);
        bench.Account.Plan = null;
        Assert.Equal(3, (await bench.ReplayAsync()).Count);
    });

    private static void Run(Func<BlobBench, Task> test)
    {
        var bench = new BlobBench();
        bench.Run(() => test(bench));
    }

    private static List<BlobAction> Requests(BlobBench bench)
    {
        var requests = new List<BlobAction>();
        bench.Account.Plan = request =>
        {
            requests.Add(request.Action);
            return ValueTask.FromResult(BlobFault.None);
        };
        return requests;
    }
}
