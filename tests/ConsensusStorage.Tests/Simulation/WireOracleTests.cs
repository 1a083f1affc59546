using Orleans.Consensus.Journaling;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Simulation.Oracles;
using Orleans.Consensus.Transport;
using Orleans.Runtime;
using static Orleans.Consensus.Tests.Paxos.Examples;
using Request = Orleans.Consensus.Paxos.Request;

namespace Orleans.Consensus.Tests.Simulation;

/// <summary>All that the oracle of the messages calls wrong, said by an acceptor.</summary>
public sealed class WireOracleTests
{
    private static readonly LogId Log = new(1);
    private static readonly RegisterId Register = SimulatedCluster.Register("k");
    private static readonly SiloAddress Proposer = SimulatedNetwork.Address(0);
    private static readonly SiloAddress Host = SimulatedNetwork.Address(1);

    private readonly List<string> _problems = [];
    private readonly WireOracle _wire;
    private SiloAddress? _owner = Host;
    private bool _isBacked = true;

    public WireOracleTests() => _wire = WatchedBy(isShared: false);

    /// <summary>Answers of an acceptor that has promised 4 and accepted 2, and the word it breaks with them.</summary>
    public static TheoryData<string> Lies => [.. Said.Keys];

    private static Dictionary<string, (Request Request, Reply Reply)> Said => new()
    {
        ["does not answer"] = (Ask(5), new Accepted(B(5))),
        ["it promised"] = (Ask(3), new Promise(B(3), B(2), Value(2))),
        ["it says it accepted"] = (Ask(5), new Promise(B(5), B(1), Value(1))),
        ["it promised below"] = (Ask(5), new Promise(B(5), B(6), Value(6))),
        ["a ballot without a value"] = (Ask(5), new Promise(B(5), B(2), null)),
        ["it accepted"] = (Put(3), new Accepted(B(3))),
        ["for no reason"] = (Ask(5), new Conflict(Phase.Prepare, B(5), B(4))),
    };

    [Fact]
    public void An_acceptor_that_keeps_its_word_is_well()
    {
        Begin();
        Say(Ask(5), new Promise(B(5), B(2), Value(2)));
        Say(Put(5), new Accepted(B(5)));
        Say(Ask(5), new Conflict(Phase.Prepare, B(5), B(6)));
        Assert.Empty(_problems);
    }

    [Theory]
    [MemberData(nameof(Lies))]
    [Trait("Rule", "S5")]
    public void An_acceptor_that_falls_behind_its_word_is_told(string lie)
    {
        Begin();
        var (request, reply) = Said[lie];
        Say(request, reply);
        var problem = Assert.Single(_problems);
        Assert.StartsWith("An acceptor broke its word: ", problem, StringComparison.Ordinal);
        Assert.Contains(lie, problem, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Rule", "S5")]
    public void An_older_ballot_than_the_accepted_one_is_told_also_where_little_was_promised()
    {
        Say(Ask(9), new Promise(B(9), B(8), Value(8)));
        _problems.Clear();
        Say(Put(7), new Accepted(B(7)));
        Assert.Contains("it accepted", Assert.Single(_problems), StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Rule", "S1")]
    public void Two_values_proposed_at_one_ballot_are_told()
    {
        _wire.Arrived(Proposer, Host, BatchOf(new Accept(B(3), Value(3), B(4))));
        _wire.Arrived(Proposer, Host, BatchOf(new Accept(B(3), Value(3), B(4))));
        Assert.Empty(_problems);
        _wire.Arrived(Proposer, Host, BatchOf(new Accept(B(3), Value(5), B(4))));
        Assert.StartsWith("Two values were proposed", Assert.Single(_problems), StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Rule", "S17")]
    public void A_fenced_host_never_answers()
    {
        _owner = SimulatedNetwork.Address(1, generation: 2);
        Say(Ask(5), new NoAnswer(Phase.Prepare, B(5), "busy"));
        Assert.StartsWith("A fenced host answered", Assert.Single(_problems), StringComparison.Ordinal);
    }

    /// <summary>Who opens a log last owns it, whoever had it before.</summary>
    [Fact]
    [Trait("Rule", "S17")]
    public async Task Of_two_owners_of_one_log_the_last_is_the_one_to_answer()
    {
        var journals = new JournalOracle(_problems.Add);
        var wire = new WireOracle(journals.OwnerOf, (_, _, _) => true, isShared: false, _problems.Add);
        var identity = new JournalIdentity("service", "Default", new("r0"), "r0", 1, 1, Log);
        var files = new ListedJournals();
        foreach (var owner in new[] { Host, SimulatedNetwork.Address(2) })
        {
            await journals.Watch(owner, files).OpenAsync(
                identity, new("cluster", "silo"), null, (_, _, _) => { }, CancellationToken.None);
        }

        var batch = BatchOf(Ask(5));
        var reply = new BatchReply(null, [new Promise(B(5), Ballot.None, null)]);
        wire.Answered(Proposer, SimulatedNetwork.Address(2), batch, wire.Arrived(Proposer, Host, batch), reply);
        Assert.Empty(_problems);
        batch = BatchOf(Ask(6));
        reply = new(null, [new Promise(B(6), Ballot.None, null)]);
        wire.Answered(Proposer, Host, batch, wire.Arrived(Proposer, Host, batch), reply);
        Assert.StartsWith("A fenced host answered", Assert.Single(_problems), StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Rule", "S17")]
    public void A_yes_that_the_log_does_not_hold_is_told_whoever_says_it()
    {
        _isBacked = false;
        Say(Put(2), new Accepted(B(2)));
        Assert.StartsWith("An answer is not in the log", Assert.Single(_problems), StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Rule", "S17")]
    public void Where_logs_are_taken_over_a_former_host_may_repeat_what_the_log_holds()
    {
        var wire = WatchedBy(isShared: true);
        _owner = SimulatedNetwork.Address(2);
        Say(wire, _owner, Put(6), new Accepted(B(6)));
        Say(wire, Host, Put(2), new Accepted(B(2)));
        Assert.Empty(_problems);
        Say(wire, _owner, Put(2), new Accepted(B(2)));
        Assert.StartsWith("An acceptor broke its word", Assert.Single(_problems), StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_refused_as_a_whole_is_nobodys_word()
    {
        _owner = SimulatedNetwork.Address(2);
        _wire.Answered(Proposer, Host, BatchOf(Ask(5)), null, BatchReply.Refused("stopped"));
        Assert.Empty(_problems);
    }

    private static Prepare Ask(long round) => new(B(round), WantPayload: true);

    private static Accept Put(long round) => new(B(round), Value((ulong)round), B(round + 1));

    private static RequestBatch BatchOf(Request request) =>
        new("Default", new("r0"), Log, 1, [new(Register, request)], new(1, 1));

    /// <summary>It has promised 4 and accepted 2.</summary>
    private void Begin()
    {
        Say(Put(2), new Accepted(B(2)));
        Say(Ask(4), new Promise(B(4), B(2), Value(2)));
        Assert.Empty(_problems);
    }

    private WireOracle WatchedBy(bool isShared) =>
        new(_ => _owner, (_, _, _) => _isBacked, isShared, _problems.Add);

    private void Say(Request request, Reply reply) => Say(_wire, Host, request, reply);

    private static void Say(WireOracle wire, SiloAddress host, Request request, Reply reply)
    {
        var batch = BatchOf(request);
        var arrival = wire.Arrived(Proposer, host, batch);
        wire.Answered(Proposer, host, batch, arrival, new(null, [reply]));
    }
}
