using Orleans.Consensus.Journaling;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Transport;
using static Orleans.Consensus.Tests.Paxos.Examples;
using Request = Orleans.Consensus.Paxos.Request;

namespace Orleans.Consensus.Tests.Engines;

public sealed class PaxosReplicaTests
{
    private readonly ReplicaBench _bench = new();

    [Fact]
    [Trait("Rule", "S5")]
    public void An_answer_waits_until_the_flush_has_returned() => _bench.Run(async () =>
    {
        _bench.Journal.Hold();
        var reply = _bench.Post(("k", new Prepare(_bench.BallotAt(0), WantPayload: true)));
        await _bench.SettleAsync();
        Assert.False(reply.IsCompleted);
        _bench.Journal.Release();
        Assert.IsType<Promise>(Assert.Single((await reply).Replies));
    });

    [Fact]
    [Trait("Rule", "S5")]
    public void A_duplicate_waits_for_the_flush_of_what_it_repeats() => _bench.Run(async () =>
    {
        var accept = new Accept(_bench.BallotAt(0), Value(1), _bench.BallotAt(1));
        _bench.Journal.Hold();
        var first = _bench.Post(("k", accept));
        await _bench.SettleAsync();
        var duplicate = _bench.Post(("k", accept));
        var refused = _bench.Post(("k", new Prepare(accept.Ballot, WantPayload: false)));
        await _bench.SettleAsync();
        Assert.False(first.IsCompleted || duplicate.IsCompleted || refused.IsCompleted);
        _bench.Journal.Release();
        Assert.IsType<Accepted>(Assert.Single((await first).Replies));
        Assert.IsType<Accepted>(Assert.Single((await duplicate).Replies));
        Assert.IsType<Conflict>(Assert.Single((await refused).Replies));
        Assert.Equal([1], _bench.Journal.Appends);
    });

    [Fact]
    [Trait("Rule", "S5")]
    public void A_duplicate_in_one_batch_with_the_original_waits_with_it() => _bench.Run(async () =>
    {
        var accept = new Accept(_bench.BallotAt(0), Value(1), _bench.BallotAt(1));
        _bench.Journal.Hold();
        _ = _bench.Post(("other", new Prepare(_bench.BallotAt(0), WantPayload: false)));
        await _bench.SettleAsync();
        var both = new[] { _bench.Post(("k", accept)), _bench.Post(("k", accept)) };
        _bench.Journal.ReleaseAndHold();
        await _bench.SettleAsync();
        Assert.DoesNotContain(both, reply => reply.IsCompleted);
        _bench.Journal.Release();
        Assert.All(await Task.WhenAll(both), reply => Assert.IsType<Accepted>(Assert.Single(reply.Replies)));
        Assert.Equal([1, 1], _bench.Journal.Appends);
    });

    [Fact]
    public void What_arrives_during_a_flush_forms_the_next_batch() => _bench.Run(async () =>
    {
        _bench.Journal.Hold();
        var replies = new List<Task<BatchReply>> { _bench.Post(("k", new Prepare(_bench.BallotAt(0), false))) };
        await _bench.SettleAsync();
        replies.AddRange(Enumerable.Range(0, 10)
            .Select(i => _bench.Post(($"k{i}", new Prepare(_bench.BallotAt(0), false)))));
        await _bench.SettleAsync();
        _bench.Journal.Release();
        await Task.WhenAll(replies);
        Assert.Equal([1, 10], _bench.Journal.Appends);
    });

    [Fact]
    public void A_full_log_refuses_keeps_nothing_and_works_again_later() => _bench.Run(async () =>
    {
        await _bench.AskAsync("k", new Accept(_bench.BallotAt(0), Value(1), _bench.BallotAt(1)));
        var before = (_bench.StateOf("k"), _bench.StateOf("new"), _bench.Index.Count);
        _bench.Journal.Failure = new JournalFullException("no room");
        var refused = await _bench.Post(
            ("k", new Accept(_bench.BallotAt(1), Value(2), _bench.BallotAt(2))),
            ("k", new Accept(_bench.BallotAt(2), Value(3), _bench.BallotAt(3))),
            ("new", new Prepare(_bench.BallotAt(0), false)));
        Assert.Null(refused.Refusal);
        Assert.All(refused.Replies, reply => Assert.Equal("no room", Assert.IsType<NoAnswer>(reply).Why));
        Assert.Equal(before, (_bench.StateOf("k"), _bench.StateOf("new"), _bench.Index.Count));
        _bench.Journal.Failure = null;
        Assert.IsType<Accepted>(
            await _bench.AskAsync("k", new Accept(_bench.BallotAt(1), Value(2), _bench.BallotAt(2))));
    });

    [Fact]
    [Trait("Rule", "S4")]
    [Trait("Bug", "E7")]
    public void A_refused_ballot_does_not_move_the_ceiling() => _bench.Run(async () =>
    {
        var fiftyMinutes = 50 * 60_000.0;
        _bench.Journal.Failure = new JournalFullException("no room");
        await _bench.Post(("k", new Prepare(_bench.BallotAt(fiftyMinutes), false)));
        _bench.Journal.Failure = null;
        Assert.IsType<TooFarAhead>(
            await _bench.AskAsync("k", new Prepare(_bench.BallotAt(2 * fiftyMinutes), false)));
    });

    [Fact]
    [Trait("Rule", "S5")]
    [Trait("Rule", "S18")]
    public void A_failed_append_ends_the_loop_and_nothing_of_it_is_ever_answered() => _bench.Run(async () =>
    {
        await _bench.AskAsync("k", new Accept(_bench.BallotAt(0), Value(1), _bench.BallotAt(1)));
        _bench.Journal.Hold();
        _bench.Journal.Failure = new JournalLostException("broken");
        var decided = _bench.Post(("k", new Accept(_bench.BallotAt(1), Value(2), _bench.BallotAt(2))));
        await _bench.SettleAsync();
        var waiting = _bench.Post(("k", new Prepare(_bench.BallotAt(5), true)));
        _bench.Journal.Release();
        Assert.NotNull((await decided).Refusal);
        Assert.NotNull((await waiting).Refusal);
        await Assert.ThrowsAsync<JournalLostException>(() => _bench.Running);
        Assert.NotNull((await _bench.Post(("k", new Prepare(_bench.BallotAt(9), true)))).Refusal);
        await _bench.CloseAsync();
        await _bench.OpenAsync();
        Assert.Equal(_bench.BallotAt(0).Round >> 20, _bench.StateOf("k").Accepted.Round >> 20);
        Assert.Equal(Value(1).Version, _bench.StateOf("k").Value!.Version);
    });

    [Fact]
    [Trait("Rule", "S25")]
    public void Too_many_waiting_messages_are_refused_before_they_are_looked_at() => _bench.Run(async () =>
    {
        _bench.Journal.Hold();
        var replies = Enumerable.Range(0, 1100)
            .Select(i => _bench.Post(($"k{i}", new Prepare(_bench.BallotAt(0), false)))).ToList();
        await _bench.SettleAsync();
        var refused = replies.Where(reply => reply.IsCompleted).ToList();
        Assert.InRange(refused.Count, 70, 80);
        Assert.All(refused, reply => Assert.IsType<NoAnswer>(Assert.Single(reply.Result.Replies)));
        _bench.Journal.Release();
        await Task.WhenAll(replies);
        Assert.Equal(1100 - refused.Count, _bench.Index.Count);
    });

    [Fact]
    [Trait("Rule", "S25")]
    public void A_message_of_too_many_bytes_is_refused_before_it_is_looked_at()
    {
        _bench.Settings = _bench.Settings with { MaxQueuedBytes = 300 };
        _bench.Run(async () =>
        {
            var refused = await _bench.Post(
                [.. Enumerable.Range(0, 4).Select(i => ($"k{i}", (Request)new Prepare(_bench.BallotAt(0), false)))]);
            await _bench.SettleAsync();
            Assert.All(refused.Replies, reply => Assert.IsType<NoAnswer>(reply));
            Assert.Equal(4, refused.Replies.Length);
            Assert.Equal(0, _bench.Index.Count);
            Assert.Empty(_bench.Journal.Appends);
            Assert.IsType<Promise>(await _bench.AskAsync("k0", new Prepare(_bench.BallotAt(0), false)));
        });
    }

    [Fact]
    public void A_stopped_replica_refuses_what_waits_and_returns() => _bench.Run(async () =>
    {
        _bench.Journal.Hold();
        var decided = _bench.Post(("k", new Prepare(_bench.BallotAt(0), false)));
        await _bench.SettleAsync();
        _bench.Replica.Stop();
        _bench.Journal.Release();
        Assert.IsType<Promise>(Assert.Single((await decided).Replies));
        await _bench.Running;
        Assert.NotNull((await _bench.Post(("k", new Prepare(_bench.BallotAt(1), false)))).Refusal);
    });

    [Theory]
    [InlineData(61, 61)]
    [InlineData(-1, 61)]
    [Trait("Rule", "S4")]
    public void Rounds_more_than_an_hour_ahead_are_refused_also_in_next(int ballot, int next) => _bench.Run(async () =>
    {
        var request = new Accept(_bench.BallotAt(ballot * 60_000.0), Value(1), _bench.BallotAt(next * 60_000.0));
        Assert.IsType<TooFarAhead>(await _bench.AskAsync("k", request));
        Assert.IsType<TooFarAhead>(
            await _bench.AskAsync("k", new Prepare(_bench.BallotAt(next * 60_000.0), false)));
        Assert.Equal(0, _bench.Index.Count);
        Assert.Empty(_bench.Journal.Appends);
        Assert.IsType<Promise>(await _bench.AskAsync("k", new Prepare(_bench.BallotAt(59 * 60_000.0), false)));
    });

    [Fact]
    public void A_payload_is_left_out_unless_asked_for() => _bench.Run(async () =>
    {
        await _bench.AskAsync("k", new Accept(_bench.BallotAt(0), Value(1), _bench.BallotAt(0)));
        var bare = Assert.IsType<Promise>(await _bench.AskAsync("k", new Prepare(_bench.BallotAt(1), false)));
        Assert.Same(Payload.Omitted, bare.Value!.Payload);
        var full = Assert.IsType<Promise>(await _bench.AskAsync("k", new Prepare(_bench.BallotAt(2), true)));
        Assert.Equal([1], Assert.IsType<PayloadBytes>(full.Value!.Payload).Bytes.ToArray());
    });
}
