using Orleans.Consensus.Journaling;
using Orleans.Consensus.Journaling.Blobs;
using Orleans.Consensus.Simulation.Blobs;

namespace Orleans.Consensus.Tests.Journaling.Blobs;

/// <summary>Requests that get no answer, a late one, or a refusal, at every point of a log's life.</summary>
public sealed class BlobFaultTests
{
    public static TheoryData<string> Passing => ["Lost", "Unanswered", "Late", "Throttled"];

    [Theory]
    [MemberData(nameof(Passing))]
    public void A_fault_that_passes_is_not_noticed_whatever_request_it_strikes(string fault) =>
        ForEveryRequest(lasting: false, Enum.Parse<BlobFault>(fault), static outcome => outcome is null);

    [Theory]
    [InlineData("Lost")]
    [InlineData("Unanswered")]
    [InlineData("Late")]
    [InlineData("Throttled")]
    [InlineData("Denied")]
    public void Nothing_acknowledged_is_lost_whenever_a_fault_begins_that_lasts(string fault) =>
        ForEveryRequest(
            lasting: true,
            Enum.Parse<BlobFault>(fault),
            static outcome => outcome is null or JournalLostException or JournalUnavailableException);

    [Fact]
    public void An_append_that_was_done_without_an_answer_counts_once() => Run(1, async bench =>
    {
        var silo = bench.Silo("s1");
        await using var journal = await silo.OpenAsync();
        Strike(bench, BlobFault.Unanswered);
        await TestLog.AppendAsync(journal, [1]);
        await TestLog.AppendAsync(journal, [2]);

        Assert.Equal([AppendResolution.Landed], silo.Resolutions);
        Assert.Equal([[1], [2]], (await bench.ReplayAsync()).Select(record => record.Bytes));
    });

    [Fact]
    public void An_append_that_was_lost_is_tried_again_at_its_place() => Run(1, async bench =>
    {
        var silo = bench.Silo("s1");
        await using var journal = await silo.OpenAsync();
        Strike(bench, BlobFault.Lost);
        await TestLog.AppendAsync(journal, [1]);

        Assert.Equal([AppendResolution.Retried], silo.Resolutions);
        Assert.Single(await bench.ReplayAsync());
    });

    [Fact]
    public void An_append_that_comes_late_after_its_retry_is_refused() => Run(1, async bench =>
    {
        await using var journal = await bench.Silo("s1").OpenAsync();
        Strike(bench, BlobFault.Late);
        await TestLog.AppendAsync(journal, [1]);
        await bench.PassAsync(TimeSpan.FromMinutes(2));

        Assert.Equal((0, 1), (bench.Account.LandedLate, bench.Account.RefusedLate));
        Assert.Single(await bench.ReplayAsync());
    });

    [Fact]
    public void An_append_that_the_client_itself_made_twice_has_landed() => Run(1, async bench =>
    {
        var silo = bench.Silo("s1");
        await using var journal = await silo.OpenAsync();
        silo.Blobs.Repeats = true;
        await TestLog.AppendAsync(journal, [1]);
        Assert.Equal([AppendResolution.Landed], silo.Resolutions);
        Assert.Single(await bench.ReplayAsync());
    });

    [Fact]
    public void An_append_that_comes_late_after_a_take_over_is_refused() => Run(1, async bench =>
    {
        var (journal, silo) = await LeaveAppendUnderWayAsync(bench);
        Assert.Contains(AppendResolution.Unresolved, silo.Resolutions);

        await using var other = await bench.Silo("s2").OpenAsync();
        await bench.PassAsync(TimeSpan.FromHours(2));
        Assert.Equal((0, 1), (bench.Account.LandedLate, bench.Account.RefusedLate));
        await TestLog.AppendAsync(other, [2]);
        Assert.Equal([[0], [2]], (await bench.ReplayAsync()).Select(record => record.Bytes));
        await journal.DisposeAsync();
    });

    [Fact]
    public void An_append_that_comes_late_before_the_fence_is_replayed() => Run(1, async bench =>
    {
        var (journal, _) = await LeaveAppendUnderWayAsync(bench);
        bench.Account.Plan = async request =>
        {
            if (request is { Client: "s2", Action: BlobAction.Append })
            {
                bench.Account.Plan = null;
                await bench.PassAsync(TimeSpan.FromHours(2));
            }

            return BlobFault.None;
        };
        var other = bench.Silo("s2");
        await using var taken = await other.OpenAsync();

        Assert.Equal(1, bench.Account.LandedLate);
        Assert.Equal([[0], [1]], other.Replayed.Select(record => record.Bytes));
        Assert.Contains(AppendResolution.Foreign, other.Resolutions);
        await journal.DisposeAsync();
    });

    [Fact]
    public void A_place_without_anything_proves_nothing() => Run(1, async bench =>
    {
        var silo = bench.Silo("s1");
        await using var journal = await silo.OpenAsync();
        var tail = bench.Tail;
        var image = bench.Account.Get(tail);

        // A copy that lags behind: the place is not there yet, and whatever is said of it is no answer.
        bench.Account.Put(tail, image[..SegmentHeader.Size]);
        var appending = TestLog.AppendAsync(journal, [1]);
        await bench.PassAsync(TimeSpan.FromSeconds(1));
        Assert.False(appending.IsCompleted);
        bench.Account.Put(tail, image);
        await appending;
        Assert.Single(await bench.ReplayAsync());
    });

    [Fact]
    public void A_container_that_is_deleted_is_reported_as_such() => Run(1, async bench =>
    {
        var journal = await bench.Silo("s1").OpenAsync();
        var place = Assert.Single(await TestLog.AppendAsync(journal, [1])).Position;
        bench.Account.DeleteContainer();
        var unreadable = await Assert.ThrowsAsync<JournalUnavailableException>(
            async () => await journal.ReadAsync(place, 1, CancellationToken.None));
        var lost = await Assert.ThrowsAsync<JournalLostException>(() => TestLog.AppendAsync(journal, [2]));
        Assert.Contains("container was deleted", unreadable.Message, StringComparison.Ordinal);
        Assert.Contains("container was deleted", lost.Message, StringComparison.Ordinal);
        Assert.False(bench.Account.HasContainer);
        await journal.DisposeAsync();
    });

    [Fact]
    public void Missing_rights_are_reported_as_such() => Run(1, async bench =>
    {
        var journal = await bench.Silo("s1").OpenAsync();
        bench.Account.IsDenied = true;
        var refused = await Assert.ThrowsAsync<JournalUnavailableException>(() => bench.Silo("s2").OpenAsync());
        var lost = await Assert.ThrowsAsync<JournalLostException>(() => TestLog.AppendAsync(journal, [2]));
        Assert.Contains("no rights", refused.Message, StringComparison.Ordinal);
        Assert.Contains("may create, read and append", refused.Message, StringComparison.Ordinal);
        Assert.Contains("no rights", lost.Message, StringComparison.Ordinal);
        await journal.DisposeAsync();
    });

    [Fact]
    public void A_log_that_is_closed_gives_its_tries_up() => Run(1, async bench =>
    {
        var journal = await bench.Silo("s1").OpenAsync();
        bench.Account.IsDown = true;
        var appending = TestLog.AppendAsync(journal, [1]);
        await bench.PassAsync(TimeSpan.FromMilliseconds(100));
        await journal.DisposeAsync();
        await Assert.ThrowsAsync<JournalLostException>(() => appending);
        var requests = bench.Account.Requests;
        await bench.PassAsync(TimeSpan.FromHours(1));
        Assert.Equal(requests, bench.Account.Requests);
    });

    [Fact]
    public void An_opening_that_is_given_up_ends_at_once_also_in_the_middle_of_its_fence() => Run(1, async bench =>
    {
        await bench.ReplayAsync();
        using var cancelling = new CancellationTokenSource();
        bench.Account.Plan = request =>
        {
            bench.Account.IsDown |= request.Action == BlobAction.Append;
            return new(BlobFault.None);
        };
        var opening = bench.Silo("s1").OpenAsync(cancellationToken: cancelling.Token);
        await bench.PassAsync(TimeSpan.FromMilliseconds(100));
        var before = bench.Scheduler.Time.GetTimestamp();
        cancelling.Cancel();
        await Assert.ThrowsAsync<OperationCanceledException>(() => opening);
        Assert.Equal(before, bench.Scheduler.Time.GetTimestamp());
    });

    private static void Run(int seed, Func<BlobBench, Task> test)
    {
        var bench = new BlobBench(seed);
        bench.Run(() => test(bench));
    }

    /// <summary>Strikes the next request that changes anything.</summary>
    private static void Strike(BlobBench bench, BlobFault fault) => bench.Account.Plan = request =>
    {
        bench.Account.Plan = request.IsChange ? null : bench.Account.Plan;
        return new(request.IsChange ? fault : BlobFault.None);
    };

    /// <summary>An owner whose append [1] is on its way when it is cut off and gives up.</summary>
    private static async Task<(IJournal Journal, BlobSilo Silo)> LeaveAppendUnderWayAsync(BlobBench bench)
    {
        var silo = bench.Silo("s1");
        var journal = await silo.OpenAsync();
        await TestLog.AppendAsync(journal, [0]);
        bench.Account.LateBy = TimeSpan.FromHours(1);
        Strike(bench, BlobFault.Late);
        var appending = TestLog.AppendAsync(journal, [1]);
        silo.Blobs.IsCutOff = true;
        await Assert.ThrowsAsync<JournalLostException>(() => appending);
        return (journal, silo);
    }

    private static void ForEveryRequest(bool lasting, BlobFault fault, Func<Exception?, bool> mayEndWith)
    {
        for (var at = 1; Live(at, lasting, fault, mayEndWith); at++)
        {
        }
    }

    /// <summary>A life with a fault at request <paramref name="at"/>; false if it has fewer requests.</summary>
    private static bool Live(int at, bool lasting, BlobFault fault, Func<Exception?, bool> mayEndWith)
    {
        var because = $"{fault} at request {at}{(lasting ? " and all after it" : "")}";
        var bench = new BlobBench(at);
        var model = new LogModel();
        var reached = false;
        bench.Account.Plan = request =>
        {
            var strikes = lasting ? request.Number >= at : request.Number == at;
            reached |= strikes;
            return new(strikes ? fault : BlobFault.None);
        };
        bench.Run(async () =>
        {
            var outcome = await Record.ExceptionAsync(() => LiveAsync(bench, model, because));
            Assert.True(mayEndWith(outcome), $"{because}: {outcome}");
            bench.Account.Plan = null;
            await bench.PassAsync(TimeSpan.FromHours(1));
            for (var life = 0; life < 2; life++)
            {
                var silo = bench.Silo("after");
                await using var journal = await silo.OpenAsync();
                model.Check(silo.Replayed, because);
                await model.AppendAsync(journal, TestLog.Bytes(1, 5000));
            }
        });
        return reached;
    }

    private static async Task LiveAsync(BlobBench bench, LogModel model, string because)
    {
        for (var opening = 0; opening < 2; opening++)
        {
            var silo = bench.Silo($"s{opening}");
            await using var journal = await silo.OpenAsync();
            model.Check(silo.Replayed, because);
            for (var i = 0; i < 12; i++)
            {
                await model.AppendAsync(journal, TestLog.Bytes(i, 1400 + (i * 60)), TestLog.Bytes(i, i));
            }
        }
    }
}
