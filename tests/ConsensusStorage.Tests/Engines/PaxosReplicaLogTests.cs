using System.Globalization;
using Orleans.Consensus.Codec;
using Orleans.Consensus.Engines;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Paxos;
using static Orleans.Consensus.Tests.Paxos.Examples;
using Request = Orleans.Consensus.Paxos.Request;

namespace Orleans.Consensus.Tests.Engines;

/// <summary>What a replica reads back from its log: payloads, and at the next start everything.</summary>
public sealed class PaxosReplicaLogTests
{
    private readonly ReplicaBench _bench = new();

    [Fact]
    public void A_payload_no_longer_in_memory_is_read_back() => _bench.Run(async () =>
    {
        await ReopenAsync(cacheBytes: 0);
        await _bench.AskAsync("k", new Accept(_bench.BallotAt(0), Value(7), _bench.BallotAt(0)));
        var promise = Assert.IsType<Promise>(await _bench.AskAsync("k", new Prepare(_bench.BallotAt(1), true)));
        Assert.Equal(1, _bench.Journal.Reads);
        Assert.Equal([7], Assert.IsType<PayloadBytes>(promise.Value!.Payload).Bytes.ToArray());
    });

    [Fact]
    public void Payloads_in_one_batch_and_after_a_restart_are_each_found_in_their_own_place() => _bench.Run(async () =>
    {
        await ReopenAsync(cacheBytes: 0);
        _bench.Journal.Hold();
        _ = _bench.Post(("first", new Prepare(_bench.BallotAt(0), false)));
        await _bench.SettleAsync();
        var accepts = Enumerable.Range(0, 20).Select(i => _bench.Post(
            ($"k{i}", new Prepare(_bench.BallotAt(0), false)),
            ($"k{i}", new Accept(_bench.BallotAt(0), Value((ulong)i), _bench.BallotAt(0))))).ToList();
        _bench.Journal.Release();
        await Task.WhenAll(accepts);
        Assert.Equal([1, 40], _bench.Journal.Appends);
        for (var round = 1; round <= 2; round++)
        {
            for (var i = 0; i < 20; i++)
            {
                var promise = await _bench.AskAsync($"k{i}", new Prepare(_bench.BallotAt(round), true));
                var payload = Assert.IsType<PayloadBytes>(Assert.IsType<Promise>(promise).Value!.Payload);
                Assert.Equal([(byte)i], payload.Bytes.ToArray());
            }

            await ReopenAsync(cacheBytes: 0);
        }
    });

    [Fact]
    public void Damaged_payload_bytes_are_refused_and_stop_the_replica() => _bench.Run(async () =>
    {
        await ReopenAsync(cacheBytes: 0);
        await _bench.AskAsync("k", new Accept(_bench.BallotAt(0), Value(7), _bench.BallotAt(0)));
        _bench.Journal.OnRead = bytes => bytes.ToArray().Select(one => (byte)(one ^ 1)).ToArray();
        var reply = await _bench.Post(("k", new Prepare(_bench.BallotAt(1), true)));
        Assert.Contains("damaged", reply.Refusal, StringComparison.Ordinal);
        await Assert.ThrowsAsync<JournalCorruptException>(() => _bench.Running);
        Assert.NotNull((await _bench.Post(("k", new Prepare(_bench.BallotAt(2), false)))).Refusal);
    });

    [Theory]
    [InlineData(nameof(JournalUnavailableException))]
    [InlineData(nameof(JournalLostException))]
    [InlineData(nameof(IOException))]
    [InlineData(nameof(UnauthorizedAccessException))]
    [InlineData(nameof(TimeoutException))]
    [InlineData(nameof(OperationCanceledException))]
    public void A_payload_that_cannot_be_read_now_is_not_answered_and_the_replica_goes_on(string kind) =>
        _bench.Run(async () =>
        {
            await ReopenAsync(cacheBytes: 0);
            await _bench.AskAsync("k", new Accept(_bench.BallotAt(0), Value(7), _bench.BallotAt(0)));
            Exception failure = kind switch
            {
                nameof(JournalUnavailableException) => new JournalUnavailableException("It can't be read."),
                nameof(JournalLostException) => new JournalLostException("It is closed."),
                nameof(UnauthorizedAccessException) => new UnauthorizedAccessException(),
                nameof(TimeoutException) => new TimeoutException(),
                nameof(OperationCanceledException) => new OperationCanceledException(),
                _ => new IOException(),
            };
            _bench.Journal.Reading = _ => Task.FromException(failure);
            for (var i = 1; i <= 3; i++)
            {
                var reply = await _bench.Post(
                    ("k", new Prepare(_bench.BallotAt(i), true)), ("new", new Prepare(_bench.BallotAt(i), true)));
                Assert.Null(reply.Refusal);
                Assert.IsType<NoAnswer>(reply.Replies[0]);
                Assert.IsType<Promise>(reply.Replies[1]);
            }

            Assert.False(_bench.Running.IsCompleted);
            _bench.Journal.Reading = _ => Task.CompletedTask;
            var promise = Assert.IsType<Promise>(await _bench.AskAsync("k", new Prepare(_bench.BallotAt(4), true)));
            Assert.Equal([7], Assert.IsType<PayloadBytes>(promise.Value!.Payload).Bytes.ToArray());
        });

    [Fact]
    public void Payloads_that_take_too_long_to_read_are_not_answered_and_the_rest_of_the_message_is_in_time() =>
        _bench.Run(async () =>
        {
            await ReopenAsync(cacheBytes: 0);
            string[] keys = ["k0", "k1", "k2"];
            foreach (var key in keys)
            {
                await _bench.AskAsync(key, new Accept(_bench.BallotAt(0), Value(7), _bench.BallotAt(0)));
            }

            var started = _bench.Scheduler.Time.GetTimestamp();
            _bench.Journal.Reading = token => Task.Delay(TimeSpan.FromMinutes(1), _bench.Scheduler.Time, token);
            var reply = await _bench.Post(
                [("new", new Prepare(_bench.BallotAt(1), true)),
                    .. keys.Select(key => (key, (Request)new Prepare(_bench.BallotAt(1), true)))]);
            Assert.True(_bench.Scheduler.Time.GetElapsedTime(started) < _bench.Settings.RoundTimeout);
            Assert.IsType<Promise>(reply.Replies[0]);
            Assert.All(reply.Replies.Skip(1), one => Assert.IsType<NoAnswer>(one));
            Assert.False(_bench.Running.IsCompleted);
        });

    [Fact]
    public void A_slow_read_holds_up_nobody_else() => _bench.Run(async () =>
    {
        await ReopenAsync(cacheBytes: 0);
        await _bench.AskAsync("k", new Accept(_bench.BallotAt(0), Value(7), _bench.BallotAt(0)));
        Assert.IsType<Promise>(await _bench.AskAsync("k", new Prepare(_bench.BallotAt(1), false)));
        Assert.Equal(0, _bench.Journal.Reads);
    });

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [Trait("Rule", "S5")]
    public void A_reopened_log_shows_exactly_what_was_in_memory(int seed) => _bench.Run(async () =>
    {
        var random = new Random(seed);
        var keys = Enumerable.Range(0, 6).Select(i => $"k{i}").ToList();
        for (var i = 0; i < 300; i++)
        {
            await _bench.Post([.. Enumerable.Range(0, random.Next(1, 4)).Select(
                _ => (keys[random.Next(keys.Count)], Random(random)))]);
            if (random.Next(60) == 0)
            {
                await ReopenAndCompareAsync(keys);
            }
        }

        await ReopenAndCompareAsync(keys);
    });

    [Fact]
    [Trait("Rule", "S5")]
    public void Every_step_that_one_batch_takes_with_one_register_is_in_the_log() => _bench.Run(async () =>
    {
        await _bench.Post(
            ("prepared last", new Accept(_bench.BallotAt(0), Value(1), _bench.BallotAt(1))),
            ("prepared last", new Prepare(_bench.BallotAt(2), false)),
            ("accepted last", new Prepare(_bench.BallotAt(0), false)),
            ("accepted last", new Accept(_bench.BallotAt(0), Value(2), _bench.BallotAt(1))),
            ("accepted twice", new Accept(_bench.BallotAt(0), Value(3), _bench.BallotAt(1))),
            ("accepted twice", new Accept(_bench.BallotAt(1), Value(4), _bench.BallotAt(2))),
            ("prepared twice", new Prepare(_bench.BallotAt(0), false)),
            ("prepared twice", new Prepare(_bench.BallotAt(1), false)));
        Assert.Equal([8], _bench.Journal.Appends);
        Assert.Equal(_bench.BallotAt(2), _bench.StateOf("prepared last").Promised);
        await ReopenAndCompareAsync(["prepared last", "accepted last", "accepted twice", "prepared twice"]);
    });

    [Theory]
    [InlineData("a promise below the promise", AcceptorRecords.PromiseKind, 4, 0)]
    [InlineData("the same promise again", AcceptorRecords.PromiseKind, 5, 0)]
    [InlineData("an accept at the accepted ballot", AcceptorRecords.AcceptKind, 5, 2)]
    [InlineData("an accept below the promise", AcceptorRecords.AcceptKind, 6, 3)]
    [InlineData("an accept that takes the promise back", AcceptorRecords.AcceptKind, 4, 4)]
    [InlineData("an accept above its own promise", AcceptorRecords.AcceptKind, 6, 7)]
    [InlineData("an unknown kind", 99, 0, 0)]
    [Trait("Rule", "S14")]
    [Trait("Bug", "E6")]
    public void A_record_that_no_replica_can_have_written_stops_the_replay(
        string what, byte kind, int promised, int accepted)
    {
        var index = new AcceptorIndex(4);
        var register = SimulatedCluster.Register("k");
        Replay(index, AcceptorRecords.AcceptKind, register, new(B(5), B(2), Tombstone(1)));
        var written = new AcceptorState(B(promised), B(accepted), Tombstone(2));
        var problem = Assert.Throws<JournalCorruptException>(() => Replay(index, kind, register, written));
        Assert.True(
            problem.Message.Contains(kind.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal), what);
    }

    private static void Replay(AcceptorIndex index, byte kind, RegisterId register, AcceptorState state)
    {
        var writer = new ByteWriter(256);
        if (kind == AcceptorRecords.PromiseKind)
        {
            AcceptorRecords.WritePromise(writer, index.GroupOf(register), register, state.Promised);
        }
        else
        {
            AcceptorRecords.WriteAccept(writer, index.GroupOf(register), register, state);
        }

        index.Replay(kind, new(1, 4096), writer.WrittenSpan);
    }

    private Request Random(Random random)
    {
        var ballot = _bench.BallotAt(random.Next(200), random.Next(1, 4));
        var value = random.Next(4) == 0 ? Tombstone((ulong)random.Next(100)) : Value((ulong)random.Next(100));
        return random.Next(2) == 0
            ? new Prepare(ballot, random.Next(2) == 0)
            : new Accept(ballot, value, _bench.BallotAt(random.Next(200), random.Next(1, 4)));
    }

    private async Task ReopenAndCompareAsync(List<string> keys)
    {
        var before = keys.Select(key => Describe(_bench.StateOf(key))).ToList();
        var (count, highest, round) = (_bench.Index.Count, _bench.Index.Highest, _bench.Index.HighestRound);
        await ReopenAsync(_bench.Settings.ValueCacheBytes);
        Assert.Equal(before, keys.Select(key => Describe(_bench.StateOf(key))));
        Assert.Equal(count, _bench.Index.Count);
        Assert.Equal(highest, _bench.Index.Highest);
        Assert.Equal(round, _bench.Index.HighestRound);
    }

    private static string Describe(AcceptorState state) =>
        $"{state.Promised} {state.Accepted} {state.Value?.Version} {(state.Value?.Payload as StoredPayload)?.Checksum}";

    private async Task ReopenAsync(long cacheBytes)
    {
        await _bench.CloseAsync();
        _bench.Settings = _bench.Settings with { ValueCacheBytes = cacheBytes };
        await _bench.OpenAsync();
    }
}
