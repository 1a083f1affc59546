using System.Text;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Transport;
using static Orleans.Consensus.Simulation.Clusters.SimulatedCluster;

namespace Orleans.Consensus.Tests.Engines;

/// <summary>What a caller is told: in time, and never more than is known.</summary>
public sealed class PaxosEngineOutcomeTests
{
    private readonly SimulatedCluster _cluster = new();

    [Theory]
    [InlineData(nameof(Fate.DropRequest))]
    [InlineData(nameof(Fate.DropReply))]
    [InlineData(nameof(Fate.Hang))]
    [InlineData(nameof(Fate.HangReply))]
    [Trait("Bug", "E1")]
    public void A_change_never_takes_longer_than_its_deadline(string name) => _cluster.Run(async () =>
    {
        var fate = Enum.Parse<Fate>(name);
        _cluster.Settings = _cluster.Settings with { RequestTimeout = TimeSpan.FromMilliseconds(700) };
        await StartAsync();
        for (var i = 0; i < 20; i++)
        {
            // Each round takes a while before it fails.
            var good = i % 2;
            _cluster.Network.Latency = (_, _) => TimeSpan.FromMilliseconds(30 + i);
            _cluster.Network.OnSend = (_, to, _) => to == _cluster.Addresses[good] ? Fate.Deliver : fate;
            var started = _cluster.Scheduler.Time.GetTimestamp();
            var result = await _cluster.WriteAsync(0, $"k{i}", null, "x");
            Assert.IsNotType<ChangeResult.Applied>(result);
            Assert.InRange(
                _cluster.Scheduler.Time.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromMilliseconds(701));
        }
    });

    [Fact]
    [Trait("Rule", "S6")]
    public void A_change_cancelled_anywhere_is_in_doubt_exactly_if_it_was_sent() => _cluster.Run(async () =>
    {
        await StartAsync();
        _cluster.Network.Latency = (_, _) => TimeSpan.FromMilliseconds(3);
        var seen = new HashSet<string>();
        for (var after = 0; after < 40; after++)
        {
            using var cancel = new CancellationTokenSource(
                TimeSpan.FromMilliseconds(after * 0.5), _cluster.Scheduler.Time);
            var version = _cluster.Silos[0].Engine.MintVersion();
            var sent = false;
            _cluster.Network.OnSend = (_, _, batch) =>
            {
                sent |= batch.Requests.Any(one => one.Request is Accept accept && accept.Value.Version == version);
                return Fate.Deliver;
            };
            var change = new Change.Write(version, InDoubt.None, null, Bytes("x"));
            var result = await _cluster.Silos[0].Engine.ChangeAsync(Register($"k{after}"), change, cancel.Token);
            seen.Add(result.GetType().Name);
            switch (result)
            {
                case ChangeResult.NotApplied none:
                    Assert.Equal(NotAppliedReason.Canceled, none.Reason);
                    Assert.False(sent);
                    break;
                case ChangeResult.Unknown unknown:
                    Assert.Equal(UnknownReason.Canceled, unknown.Reason);
                    Assert.Equal([version], unknown.InDoubt.Versions);
                    break;
                default:
                    Assert.True(sent);
                    VersionOf(result);
                    break;
            }
        }

        Assert.Equal(3, seen.Count);
    });

    [Fact]
    [Trait("Rule", "S6")]
    public void What_was_not_applied_is_never_sent_afterwards() => _cluster.Run(async () =>
    {
        await StartAsync();
        var sent = new HashSet<RegisterVersion>();
        var notApplied = new HashSet<RegisterVersion>();
        _cluster.Network.Latency = (_, _) => TimeSpan.FromMilliseconds(3);
        _cluster.Network.OnSend = (_, _, batch) =>
        {
            sent.UnionWith(batch.Requests.Select(one => one.Request).OfType<Accept>().Select(one => one.Value.Version));
            return Fate.Deliver;
        };
        for (var after = 0; after < 14; after++)
        {
            // The promises are on their way back when their owner gives up.
            using var cancel = new CancellationTokenSource(
                TimeSpan.FromMilliseconds(after * 0.5), _cluster.Scheduler.Time);
            var change = new Change.Write(_cluster.Silos[0].Engine.MintVersion(), InDoubt.None, null, Bytes("x"));
            var result = await _cluster.Silos[0].Engine.ChangeAsync(Register($"k{after}"), change, cancel.Token);
            await _cluster.PassAsync(100);
            if (result is ChangeResult.NotApplied)
            {
                notApplied.Add(change.Version);
                Assert.Null(TextOf(await _cluster.ReadAsync(1, $"k{after}")));
            }
        }

        Assert.InRange(notApplied.Count, 10, 14);
        Assert.Empty(notApplied.Intersect(sent));
    });

    [Fact]
    [Trait("Rule", "S20")]
    public void A_change_cancelled_while_it_waits_for_its_turn_was_not_applied() => _cluster.Run(async () =>
    {
        await StartAsync();
        _cluster.Network.OnSend = (_, _, _) => Fate.Hang;
        var first = _cluster.WriteAsync(0, "k", null, "x");
        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(100), _cluster.Scheduler.Time);
        var second = await _cluster.Silos[0].Engine.ChangeAsync(
            Register("k"),
            new Change.Write(_cluster.Silos[0].Engine.MintVersion(), InDoubt.None, null, Bytes("y")),
            cancel.Token);
        Assert.Equal(NotAppliedReason.Canceled, Assert.IsType<ChangeResult.NotApplied>(second).Reason);
        Assert.False(first.IsCompleted);
        _cluster.Network.OnSend = (_, _, _) => Fate.Deliver;
        VersionOf(await first);
        Assert.Equal("x", TextOf(await _cluster.ReadAsync(0, "k")));
    });

    [Fact]
    [Trait("Rule", "S7")]
    public void After_a_read_has_settled_a_doubt_the_value_never_appears() => _cluster.Run(async () =>
    {
        await StartAsync();
        var version = VersionOf(await _cluster.WriteAsync(0, "k", null, "old"));
        var doubt = await AcceptOnlyAtAsync(0, replica: 2, "k", version, "doubtful");
        _cluster.Network.OnSend = (_, to, _) => to == _cluster.Addresses[2] ? Fate.DropRequest : Fate.Deliver;
        Assert.Equal("old", TextOf(await _cluster.ReadAsync(0, "k", doubt)));
        for (var without = 0; without < 3; without++)
        {
            var absent = _cluster.Addresses[without];
            _cluster.Network.OnSend = (_, to, _) => to == absent ? Fate.DropRequest : Fate.Deliver;
            Assert.Equal("old", TextOf(await _cluster.ReadAsync(1, "k")));
        }
    });

    [Fact]
    [Trait("Rule", "S7")]
    public void A_doubt_about_the_first_write_is_settled_by_a_read_too() => _cluster.Run(async () =>
    {
        await StartAsync();
        Assert.Null(TextOf(await _cluster.ReadAsync(0, "k")));
        var doubt = await AcceptOnlyAtAsync(0, replica: 2, "k", null, "doubtful");
        _cluster.Network.OnSend = (_, to, _) => to == _cluster.Addresses[2] ? Fate.DropRequest : Fate.Deliver;
        Assert.Null(TextOf(await _cluster.ReadAsync(0, "k", doubt)));
        _cluster.Network.OnSend = (_, to, _) => to == _cluster.Addresses[1] ? Fate.DropRequest : Fate.Deliver;
        Assert.Null(TextOf(await _cluster.ReadAsync(1, "k")));
        VersionOf(await _cluster.WriteAsync(1, "k", null, "new"));
    });

    [Fact]
    [Trait("Rule", "S8b")]
    public void A_first_write_that_others_adopted_and_cleared_is_not_applied_twice() => _cluster.Run(async () =>
    {
        await StartAsync();
        Assert.Null(TextOf(await _cluster.ReadAsync(0, "k")));
        var doubt = await AcceptOnlyAtAsync(0, replica: 2, "k", null, "doubtful");
        _cluster.Network.OnSend = (_, to, _) => to == _cluster.Addresses[0] ? Fate.DropRequest : Fate.Deliver;
        var adopted = Assert.IsType<ChangeResult.Found>(await _cluster.ReadAsync(1, "k"));
        Assert.Equal("doubtful", TextOf(adopted));
        Assert.IsType<ChangeResult.Applied>(await _cluster.ClearAsync(1, "k", adopted.Value!.Version));
        _cluster.Network.OnSend = (_, _, _) => Fate.Deliver;
        var retried = Assert.IsType<ChangeResult.Unknown>(await _cluster.WriteAsync(0, "k", null, "again", doubt));
        Assert.Equal(UnknownReason.LostTrack, retried.Reason);
        Assert.Null(TextOf(await _cluster.ReadAsync(2, "k")));
        Assert.Null(TextOf(await _cluster.ReadAsync(0, "k", retried.InDoubt)));
        VersionOf(await _cluster.WriteAsync(0, "k", null, "again"));
    });

    [Fact]
    [Trait("Rule", "S21")]
    public void A_promise_is_used_once() => _cluster.Run(async () =>
    {
        await StartAsync();
        var version = VersionOf(await _cluster.WriteAsync(0, "k", null, "one"));
        var ballots = new HashSet<Ballot>();
        var first = true;
        _cluster.Network.OnSend = (_, _, batch) =>
        {
            foreach (var accept in batch.Requests.Select(one => one.Request).OfType<Accept>())
            {
                ballots.Add(accept.Ballot);
                Assert.True(first || accept.Ballot != ballots.First());
            }

            return Fate.DropRequest;
        };
        var unknown = Assert.IsType<ChangeResult.Unknown>(await _cluster.WriteAsync(0, "k", version, "two"));
        Assert.Single(ballots);
        first = false;
        _cluster.Network.OnSend = (_, _, _) => Fate.Deliver;
        VersionOf(await _cluster.WriteAsync(0, "k", version, "three", unknown.InDoubt));
    });

    [Fact]
    [Trait("Rule", "S22")]
    public void Late_answers_to_a_former_round_do_not_count() => _cluster.Run(async () =>
    {
        await StartAsync();
        var version = VersionOf(await _cluster.WriteAsync(0, "k", null, "one"));
        for (var i = 0; i < 10; i++)
        {
            // One way takes longer than a round: each answer comes while a later round is under way.
            var slow = _cluster.Addresses[1 + (i % 2)];
            _cluster.Network.Latency = (from, _) => TimeSpan.FromMilliseconds(from == slow ? 1100 : 1);
            _cluster.Network.OnSend = (_, to, _) =>
                to == slow || to == _cluster.Addresses[0] ? Fate.Deliver : Fate.DropRequest;
            var result = await _cluster.WriteAsync(0, "k", version, $"{i}");
            _cluster.Network.OnSend = (_, _, _) => Fate.Deliver;
            _cluster.Network.Latency = (_, _) => TimeSpan.Zero;
            var doubt = result is ChangeResult.Unknown unknown ? unknown.InDoubt : InDoubt.None;
            var found = Assert.IsType<ChangeResult.Found>(await _cluster.ReadAsync(0, "k", doubt));
            Assert.True(result is not ChangeResult.Applied || TextOf(found) == $"{i}");
            version = found.Value!.Version;
        }
    });

    private async Task StartAsync()
    {
        await _cluster.StartAllAsync();
        Assert.Null(TextOf(await _cluster.ReadAsync(0, "started")));
        await _cluster.PassAsync(200);
    }

    /// <summary>A write that one acceptor accepts and the writer hears nothing of.</summary>
    private async Task<InDoubt> AcceptOnlyAtAsync(
        int silo, int replica, string key, RegisterVersion? expected, string text)
    {
        var only = _cluster.Addresses[replica];
        var isSent = false;
        _cluster.Network.OnSend = (_, to, batch) =>
        {
            var isAccept = batch.Requests.Any(one => one.Request is Accept);
            isSent |= isAccept;
            return isAccept && to == only ? Fate.DropReply : isSent ? Fate.Hang : Fate.Deliver;
        };
        var result = await _cluster.WriteAsync(silo, key, expected, text);
        _cluster.Network.OnSend = (_, _, _) => Fate.Deliver;
        return Assert.IsType<ChangeResult.Unknown>(result).InDoubt;
    }

    private static PayloadBytes Bytes(string text) => new(Encoding.UTF8.GetBytes(text));

    /// <summary>Fewer replies than there were requests: which is whose can't be told, so none counts.</summary>
    [Fact, Trait("Rule", "S22")]
    public void An_answer_that_does_not_fit_the_message_counts_as_none() => _cluster.Run(async () =>
    {
        await StartAsync();
        _cluster.Network.Forge = (_, to, _) => to == _cluster.Addresses[0] ? null : new BatchReply(null, []);
        var outcome = Assert.IsType<ChangeResult.NotApplied>(await _cluster.WriteAsync(0, "k", null, "one"));
        Assert.Equal(2, outcome.Answers.Count(answer => answer.Text == "its answer does not fit the question"));

        _cluster.Network.Forge = (_, _, _) => null;
        VersionOf(await _cluster.WriteAsync(0, "k", null, "one"));
    });
}
