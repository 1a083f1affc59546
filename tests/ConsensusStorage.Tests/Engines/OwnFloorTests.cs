using Orleans.Consensus.Engines;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Paxos;
using static Orleans.Consensus.Tests.Paxos.Examples;
using Request = Orleans.Consensus.Paxos.Request;

namespace Orleans.Consensus.Tests.Engines;

/// <summary>Reads of what was never written leave promises behind; floors let a replica forget them (S11).</summary>
public sealed class OwnFloorTests
{
    private const double Minute = 60_000;
    private const double Hour = 60 * Minute;

    private readonly ReplicaBench _bench = new();

    [Theory, Trait("Rule", "S25"), Trait("Rule", "S11")]
    [InlineData(1)]
    [InlineData(50)]
    public void Reads_of_random_absent_registers_leave_a_bounded_number_of_entries(int together)
    {
        _bench.Settings = _bench.Settings with { MaxPromises = 200 };
        _bench.Run(async () =>
        {
            for (var i = 0; i < 5000; i += together)
            {
                await PrepareAsync(Enumerable.Range(i, together).Select(number => $"absent{number}"));
                Assert.InRange(_bench.Index.Count, 1, 200 + (2 * together));
                await _bench.SettleAsync();
            }

            var floors = _bench.Journal.Appends.Sum() - 5000;
            Assert.InRange(floors, 1, 400);
            await ReopenAndCompareAsync();
        });
    }

    /// <summary>The one that asks last has its own entry, and so may the ones that it pushed out.</summary>
    [Fact, Trait("Rule", "S25")]
    public void Absent_registers_with_the_longest_names_leave_fewer_entries()
    {
        _bench.Settings = _bench.Settings with { MaxPromises = 100 };
        _bench.Run(async () =>
        {
            for (var i = 0; i < 100; i++)
            {
                await PrepareAsync([$"{i}{new string('x', 7000)}"]);
                await _bench.SettleAsync();
            }

            Assert.InRange(_bench.Index.Count, 1, (100 * 512 / 7000) + 1);
        });
    }

    [Fact, Trait("Rule", "S11")]
    public void Promises_of_an_hour_ago_are_forgotten_and_stay_forgotten() => _bench.Run(async () =>
    {
        await PrepareAsync(Enumerable.Range(0, 300).Select(number => $"absent{number}"));
        await _bench.AskAsync("value", new Accept(_bench.BallotAt(0), Value(1), _bench.BallotAt(1)));
        Assert.Equal(301, _bench.Index.Count);

        await PassAsync(Hour + (2 * Minute));
        await AcceptAsync("value");
        await PrepareAsync(["late"]);

        Assert.Equal(2, _bench.Index.Count);
        Assert.Equal(V(1), _bench.StateOf("value").Value!.Version);
        await ReopenAndCompareAsync();
        Assert.Equal(2, _bench.Index.Count);
    });

    [Fact, Trait("Rule", "S11"), Trait("Rule", "S3")]
    public void A_forgotten_promise_refuses_what_it_refused_also_after_a_restart() => _bench.Run(async () =>
    {
        var promised = _bench.BallotAt(0);
        await _bench.AskAsync("absent", new Prepare(promised, false));
        await PassAnHourAsync();
        await PrepareAsync(Enumerable.Range(0, 20).Select(number => $"late{number}"));
        Assert.Null(_bench.Index.Promises.Find(SimulatedCluster.Register("absent")));

        var below = promised with { Round = promised.Round - 1 };
        for (var life = 1; life <= 2; life++)
        {
            var floor = _bench.Index.Floor(_bench.Index.GroupOf(SimulatedCluster.Register("absent"))).Floor;
            Assert.True(floor >= promised && floor < _bench.BallotAt(0), $"{floor}");
            Assert.Equal(
                new Conflict(Phase.Prepare, promised, floor),
                await _bench.AskAsync("absent", new Prepare(promised, false)));
            Assert.Equal(
                new Conflict(Phase.Accept, below, floor),
                await _bench.AskAsync("absent", new Accept(below, Value(1), _bench.BallotAt(0))));
            await ReopenAndCompareAsync();
        }

        Assert.IsType<Promise>(await _bench.AskAsync("absent", new Prepare(_bench.BallotAt(1), false)));
    });

    [Fact, Trait("Rule", "S11"), Trait("Rule", "S3")]
    public void A_promise_above_the_floor_is_kept() => _bench.Run(async () =>
    {
        await PrepareAsync(Enumerable.Range(0, 50).Select(number => $"old{number}"));
        await PassAsync(Hour - (10 * Minute));
        var recent = _bench.BallotAt(0);
        var keys = Enumerable.Range(0, 50).Select(number => $"recent{number}").ToList();
        await PrepareAsync(keys);
        await AcceptAsync("value");
        await PassAsync(12 * Minute);
        await PrepareAsync(["late"]);

        Assert.Equal(52, _bench.Index.Count);
        await ReopenAndCompareAsync();
        foreach (var key in keys)
        {
            Assert.Equal(recent, _bench.StateOf(key).Promised);
            var refusal = Assert.IsType<Conflict>(await _bench.AskAsync(key, new Prepare(recent, false)));
            Assert.Equal(recent, refusal.ToBeat);
        }
    });

    [Fact, Trait("Rule", "S11"), Trait("Rule", "S4")]
    public void A_floor_is_never_above_what_a_majority_has_believed() => _bench.Run(async () =>
    {
        var keys = Enumerable.Range(0, 40).Select(number => $"absent{number}").ToList();
        await PrepareAsync(keys);
        await AcceptAsync("value");
        var highest = _bench.Index.Highest;
        var behind = _bench.BallotAt(5);

        // This replica's clock is wrong: all others live ten hours ago.
        await PassAsync(10 * Hour);
        await _bench.AskAsync(keys[0], new Prepare(highest[0], false));

        Assert.All(
            Enumerable.Range(0, 4),
            group => Assert.True(
                _bench.Index.Floor(group).Floor <= _bench.Index.HighestAccepted
                && _bench.Index.Floor(group).Floor >= highest.Min()));
        Assert.Equal(1, _bench.Index.Count);
        foreach (var key in keys)
        {
            Assert.IsType<Promise>(await _bench.AskAsync(key, new Prepare(behind, false)));
        }
    });

    [Fact, Trait("Rule", "S12"), Trait("Rule", "S8b")]
    public void A_floor_that_a_replica_raises_itself_moves_no_horizon() => _bench.Run(async () =>
    {
        await PrepareAsync(Enumerable.Range(0, 40).Select(number => $"absent{number}"));
        await PassAnHourAsync();
        var promise = Assert.IsType<Promise>(await _bench.AskAsync("late", new Prepare(_bench.BallotAt(0), false)));

        Assert.Equal(Ballot.None, promise.Horizon);
        promise = Assert.IsType<Promise>(await _bench.AskAsync("absent1", new Prepare(_bench.BallotAt(1), false)));
        Assert.Equal(Ballot.None, promise.Horizon);
        Assert.All(Enumerable.Range(0, 4), group =>
        {
            Assert.NotEqual(Ballot.None, _bench.Index.Floor(group).Floor);
            Assert.Equal(Ballot.None, _bench.Index.Floor(group).Horizon);
        });
    });

    [Fact, Trait("Rule", "S5")]
    public void A_full_log_raises_no_floor() => _bench.Run(async () =>
    {
        await PrepareAsync(Enumerable.Range(0, 40).Select(number => $"absent{number}"));
        await PassAnHourAsync();
        _bench.Journal.Failure = new JournalFullException("no room");
        await _bench.Post(("late", new Prepare(_bench.BallotAt(0), false)));
        Assert.Equal(41, _bench.Index.Count);
        Assert.All(Enumerable.Range(0, 4), group => Assert.Equal(default, _bench.Index.Floor(group)));

        _bench.Journal.Failure = null;
        await PassAsync(2 * Minute);
        await PrepareAsync(["late"]);
        Assert.Equal(2, _bench.Index.Count);
    });

    /// <summary>No flush of its own, and none while there is nothing to forget.</summary>
    [Fact]
    public void A_floor_is_one_more_record_of_a_batch_that_is_written_anyway() => _bench.Run(async () =>
    {
        await PrepareAsync(["absent"]);
        await PassAnHourAsync();
        await PrepareAsync(["late"]);
        for (var i = 0; i < 10; i++)
        {
            await PassAsync(5 * Minute);
            await _bench.AskAsync("value", new Accept(_bench.BallotAt(0), Value((ulong)i), _bench.BallotAt(1)));
        }

        Assert.Equal([1, 1, 2, .. Enumerable.Repeat(1, 10)], _bench.Journal.Appends);
    });

    [Fact, Trait("Rule", "S4"), Trait("Rule", "S11")]
    public void A_wrong_clock_of_one_silo_does_not_refuse_registers_that_it_never_touched() => _bench.Run(async () =>
    {
        var keys = Enumerable.Range(0, 40).Select(number => $"absent{number}").ToList();
        await PrepareAsync(keys);
        var others = _bench.BallotAt(5);
        await PassAsync(3 * Hour);

        // The silo of this replica has a wrong clock; its own proposer reads some registers.
        Assert.IsType<Promise>(await _bench.AskAsync("absent1", new Prepare(others, false)));
        var read = await Task.WhenAll(Enumerable.Range(0, 20).Select(
            number => _bench.AskAsync($"ordinary{number}", new Prepare(others, false))));
        Assert.All(read, one => Assert.IsType<Promise>(one));
        await PrepareAsync(Enumerable.Range(0, 20).Select(number => $"own{number}"));
        await PassAsync(2 * Minute);
        others = others with { Round = others.Round + (3 * 60_000L << 16) };
        Assert.IsType<Promise>(await _bench.AskAsync("anything", new Prepare(others, false)));
        var untouched = await Task.WhenAll(Enumerable.Range(0, 8).Select(
            number => _bench.AskAsync($"untouched{number}", new Prepare(others, false))));
        Assert.All(untouched, one => Assert.IsType<Promise>(one));
    });

    private async Task PassAnHourAsync()
    {
        await PassAsync(Hour);
        await AcceptAsync("accepted");
        await PassAsync(2 * Minute);
    }

    /// <summary>An accept of now, as a majority that believes this time lets it happen.</summary>
    private async Task AcceptAsync(string key) => Assert.IsType<Accepted>(await _bench.AskAsync(
        key, new Accept(_bench.BallotAt(2), Value(1), _bench.BallotAt(3))));

    private Task PassAsync(double milliseconds) =>
        Task.Delay(TimeSpan.FromMilliseconds(milliseconds), _bench.Scheduler.Time);

    private async Task PrepareAsync(IEnumerable<string> keys)
    {
        var reply = await _bench.Post([.. keys.Select(
            key => (key, (Request)new Prepare(_bench.BallotAt(0), WantPayload: true)))]);
        Assert.All(reply.Replies, one => Assert.IsType<Promise>(one));
        await _bench.SettleAsync();
    }

    private async Task ReopenAndCompareAsync()
    {
        var (count, highest) = (_bench.Index.Count, _bench.Index.Highest);
        var floors = Enumerable.Range(0, 4).Select(_bench.Index.Floor).ToList();
        await _bench.CloseAsync();
        await _bench.OpenAsync();
        Assert.Equal(count, _bench.Index.Count);
        Assert.Equal(highest, _bench.Index.Highest);
        Assert.Equal(floors, Enumerable.Range(0, 4).Select(_bench.Index.Floor));
    }
}
