using Orleans.Consensus.Journaling;
using Orleans.Consensus.Journaling.Blobs;
using Orleans.Consensus.Simulation.Blobs;

namespace Orleans.Consensus.Tests.Journaling.Blobs;

/// <summary>Two owners of one log: what one does at every moment of what the other does.</summary>
public sealed class TakeOverTests
{
    /// <summary>Appends of one owner that go through two rolls.</summary>
    private const int Appends = 40;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_take_over_at_every_request_of_an_owner_leaves_one_chain(bool answering) =>
        ForEveryRequest("owner", answering, async (bench, log) =>
        {
            var taker = await log.OpenAsync(bench.Silo("taker"));
            await log.TryAppendAsync(taker);
        });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_take_over_that_rolls_at_every_request_of_an_owner_leaves_one_chain(bool answering) =>
        ForEveryRequest("owner", answering, async (bench, log) =>
        {
            var taker = await log.OpenAsync(bench.Silo("taker"));
            for (var i = 0; i < Appends / 2; i++)
            {
                await log.TryAppendAsync(taker, 1500);
            }
        });

    [Theory]
    [InlineData(1, false)]
    [InlineData(1, true)]
    [InlineData(8, false)]
    [InlineData(8, true)]
    public void An_owner_that_goes_on_at_every_request_of_a_take_over_is_seen_and_then_fenced(
        int appends, bool answering)
    {
        for (var at = 1; OwnerGoesOn(at, appends, answering); at++)
        {
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_log_that_is_created_twice_at_once_is_one_log(bool answering) =>
        ForEveryRequest("owner", answering, async (bench, log) =>
        {
            var other = await log.OpenAsync(bench.Silo("other"));
            await log.TryAppendAsync(other);
        });

    [Fact]
    public void Whatever_several_owners_do_at_once_the_log_is_one()
    {
        for (var seed = 1; seed <= 20; seed++)
        {
            LiveAtRandom(seed, faults: false);
        }
    }

    [Fact]
    public void Whatever_several_owners_do_at_once_while_the_service_fails_the_log_is_one()
    {
        for (var seed = 1001; seed <= 1040; seed++)
        {
            LiveAtRandom(seed, faults: true);
        }
    }

    [Fact]
    public void A_former_owner_learns_that_it_was_fenced_and_stays_closed() => Run(async bench =>
    {
        var silo = bench.Silo("s1");
        await using var former = await silo.OpenAsync();
        var place = Assert.Single(await TestLog.AppendAsync(former, [1])).Position;
        await using var owner = await bench.Silo("s2").OpenAsync();
        Assert.True(owner.Epoch > former.Epoch);

        var fenced = await Assert.ThrowsAsync<JournalFencedException>(() => TestLog.AppendAsync(former, [2]));
        Assert.Contains("taken it over", fenced.Message, StringComparison.Ordinal);
        Assert.Equal([AppendResolution.Foreign], silo.Resolutions);
        var requests = bench.Account.Requests;
        await Assert.ThrowsAsync<JournalFencedException>(() => TestLog.AppendAsync(former, [3]));
        await Assert.ThrowsAsync<JournalFencedException>(
            async () => await former.ReadAsync(place, 1, CancellationToken.None));
        Assert.Equal(requests, bench.Account.Requests);
        await TestLog.AppendAsync(owner, [4]);
    });

    [Fact]
    public void What_a_fenced_owner_creates_is_in_nobodys_way() => Run(async bench =>
    {
        await using var former = await bench.Silo("s1").OpenAsync();
        await using var owner = await bench.Silo("s2").OpenAsync();
        await Assert.ThrowsAsync<JournalFencedException>(() => TestLog.AppendAsync(former, new byte[20_000]));
        var orphan = Assert.Single(bench.Account.Names, name => bench.Account.BlocksOf(name) == 1);

        await TestLog.AppendAsync(owner, new byte[20_000]);
        Assert.Equal(1, bench.Account.BlocksOf(orphan));
        Assert.Single(await bench.ReplayAsync());
    });

    [Fact]
    [Trait("Rule", "S17")]
    public void An_owner_of_a_log_that_was_deleted_writes_nothing_into_one_that_began_anew() => Run(async bench =>
    {
        await using var former = await bench.Silo("s1").OpenAsync();
        await TestLog.AppendAsync(former, [1]);
        var end = bench.Account.Get(bench.Tail).Length;
        bench.Account.DeleteContainer();
        await using var owner = await bench.Silo("s2").OpenAsync();
        await TestLog.AppendAsync(owner, [2]);
        Assert.Equal(end, bench.Account.Get(bench.Tail).Length);

        await Assert.ThrowsAsync<JournalLostException>(() => TestLog.AppendAsync(former, [3]));

        await TestLog.AppendAsync(owner, [4]);
        Assert.Equal(2, (await bench.ReplayAsync()).Count);
    });

    [Fact]
    public void A_fence_that_always_comes_too_late_is_given_up_in_the_end() => Run(async bench =>
    {
        await using var owner = await bench.Silo("s1").OpenAsync();
        bench.Options = new();
        bench.Account.Plan = async request =>
        {
            if (request is { Client: "s2", Action: BlobAction.Append })
            {
                await TestLog.AppendAsync(owner, [1]);
            }

            return request.Action == BlobAction.Hold ? BlobFault.Denied : BlobFault.None;
        };
        var lost = await Assert.ThrowsAsync<JournalLostException>(() => bench.Silo("s2").OpenAsync());
        Assert.Contains("1000 times", lost.Message, StringComparison.Ordinal);
        bench.Account.Plan = null;
        await TestLog.AppendAsync(owner, [2]);
    });

    private static void Run(Func<BlobBench, Task> test)
    {
        var bench = new BlobBench();
        bench.Run(() => test(bench));
    }

    /// <summary>An owner's life, in the middle of whose n-th request something else happens, for every n.</summary>
    private static void ForEveryRequest(string client, bool answering, Func<BlobBench, SharedLog, Task> intrude)
    {
        var at = 0;
        var fenced = 0;
        for (var reached = true; reached;)
        {
            at++;
            var because = $"request {at}{(answering ? " done" : "")}";
            var bench = new BlobBench(at);
            var log = new SharedLog();
            Interrupt(bench, client, at, answering, () =>
            {
                reached = true;
                return intrude(bench, log);
            });
            reached = false;
            bench.Run(async () =>
            {
                await LiveAsync(bench, log);
                (bench.Account.Plan, bench.Account.Answering) = (null, null);
                await log.CheckAsync(bench, because);
            });
            Assert.True(log.Acknowledged > 0, because);
            fenced += log.Fenced;
        }

        Assert.True(fenced > Appends && fenced < at, $"{fenced} of {at}");
    }

    private static async Task LiveAsync(BlobBench bench, SharedLog log)
    {
        var owner = await log.OpenAsync(bench.Silo("owner"));
        for (var i = 0; i < Appends && await log.TryAppendAsync(owner); i++)
        {
        }
    }

    private static bool OwnerGoesOn(int at, int appends, bool answering)
    {
        var because = $"{appends} appends at request {at}";
        var bench = new BlobBench(at);
        var log = new SharedLog();
        var reached = false;
        bench.Run(async () =>
        {
            var owner = await log.OpenAsync(bench.Silo("owner"));
            for (var i = 0; i < 13; i++)
            {
                await log.TryAppendAsync(owner);
            }

            Interrupt(bench, "taker", at, answering, async () =>
            {
                reached = true;
                for (var i = 0; i < appends && await log.TryAppendAsync(owner, 1500); i++)
                {
                }
            });
            var taker = await log.OpenAsync(bench.Silo("taker"));
            Assert.True(await log.TryAppendAsync(taker), because);
            await log.CheckAsync(bench, because);
        });
        return reached;
    }

    private static void Interrupt(BlobBench bench, string client, int at, bool answering, Func<Task> intrude)
    {
        var seen = 0;
        var wanted = at;
        bench.Account.Plan = async request =>
        {
            if (request.Client == client && ++seen == wanted && !answering)
            {
                await intrude();
            }

            return BlobFault.None;
        };
        bench.Account.Answering = async request =>
        {
            if (request.Client == client && seen == wanted && answering)
            {
                wanted = 0;
                await intrude();
            }
        };
    }

    private static void LiveAtRandom(int seed, bool faults)
    {
        var bench = new BlobBench(seed);
        var log = new SharedLog();
        var isOver = false;
        bench.Account.Plan = async _ =>
        {
            await bench.PassAsync(TimeSpan.FromMilliseconds(bench.Random.Next(1, 20)));
            var strikes = faults && !isOver && bench.Random.Next(8) == 0;
            return strikes ? (BlobFault)bench.Random.Next(1, 5) : BlobFault.None;
        };
        bench.Account.Answering = async _ =>
            await bench.PassAsync(TimeSpan.FromMilliseconds(bench.Random.Next(1, 20)));
        bench.Account.LateBy = TimeSpan.FromSeconds(3);
        bench.Run(async () =>
        {
            await Task.WhenAll(Enumerable.Range(1, 3).Select(silo => OwnAtRandomAsync(bench, log, $"s{silo}")));
            isOver = true;
            await log.CheckAsync(bench, $"seed {seed}");
        });
        Assert.True(log.Acknowledged > 10, $"seed {seed}: {log.Acknowledged}");
    }

    private static async Task OwnAtRandomAsync(BlobBench bench, SharedLog log, string name)
    {
        for (var life = 0; life < 4; life++)
        {
            await bench.PassAsync(TimeSpan.FromMilliseconds(bench.Random.Next(400)));
            if (await log.TryOpenAsync(bench.Silo($"{name}-{life}")) is not { } journal)
            {
                continue;
            }

            for (var i = bench.Random.Next(5, 30); i > 0; i--)
            {
                if (!await log.TryAppendAsync(journal, bench.Random.Next(10, 3000)))
                {
                    break;
                }
            }
        }
    }
}
