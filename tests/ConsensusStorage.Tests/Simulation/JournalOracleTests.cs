using Orleans.Consensus.Codec;
using Orleans.Consensus.Engines;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Simulation.Oracles;
using static Orleans.Consensus.Tests.Paxos.Examples;

namespace Orleans.Consensus.Tests.Simulation;

/// <summary>All that the oracle of the logs calls wrong, done to a log.</summary>
public sealed class JournalOracleTests
{
    private const int Groups = 1;

    private static readonly RegisterId One = SimulatedCluster.Register("one");
    private static readonly RegisterId Other = SimulatedCluster.Register("other");

    private static readonly JournalIdentity Identity =
        new("service", "Default", new("r0"), "r0", Groups, 1, new(1));

    private readonly List<string> _problems = [];
    private readonly ListedJournals _log = new();
    private readonly JournalOracle _oracle;
    private readonly IJournalStore _watched;
    private AcceptorIndex _memory = new(Groups);

    public JournalOracleTests()
    {
        _oracle = new(_problems.Add);
        _watched = _oracle.Watch(SimulatedNetwork.Address(0), _log);
    }

    [Fact]
    public async Task A_log_that_comes_back_as_it_was_is_well()
    {
        var journal = await OpenAsync();
        await AcceptAsync(journal, One, B(1), 1);
        await AcceptAsync(journal, Other, B(1), 2);
        await OpenAsync();
        Assert.Empty(_problems);
    }

    [Fact]
    [Trait("Rule", "S1")]
    public async Task Two_values_at_one_ballot_are_told()
    {
        var journal = await OpenAsync();
        await AcceptAsync(journal, One, B(1), 1);
        await AcceptAsync(journal, One, B(1), 2);
        AssertTold("Two values were accepted");
    }

    [Fact]
    [Trait("Rule", "S5")]
    public async Task A_durable_record_that_does_not_come_back_is_told()
    {
        await AcceptAsync(await OpenAsync(), One, B(1), 1);
        _log.Records.Clear();
        await OpenAsync();
        AssertTold("Durable records did not come back");
    }

    [Fact]
    [Trait("Rule", "S5")]
    public async Task A_durable_record_that_comes_back_as_another_is_told()
    {
        await AcceptAsync(await OpenAsync(), One, B(1), 1);
        _log.Records[0] = (AcceptorRecords.PromiseKind, PromiseOf(One, B(1)));
        await OpenAsync();
        AssertTold("Durable records did not come back");
    }

    [Fact]
    [Trait("Rule", "S5")]
    public async Task A_record_that_nobody_wrote_is_told()
    {
        await OpenAsync();
        _log.Records.Add((AcceptorRecords.PromiseKind, PromiseOf(One, B(1))));
        await OpenAsync();
        AssertTold("Records came back that were never written as one batch");
    }

    [Theory]
    [InlineData("promise")]
    [InlineData("version")]
    [InlineData("payload")]
    [Trait("Rule", "S18")]
    public async Task A_register_that_the_log_knows_otherwise_is_told(string what)
    {
        await AcceptAsync(await OpenAsync(), One, B(1), 1);
        var state = _memory[One];
        var value = state.Value!;
        _memory.Set(One, what switch
        {
            "promise" => state with { Promised = B(2) },
            "version" => state with { Value = value with { Version = V(2) } },
            _ => state with { Value = value with { Payload = StoredPayload.Pending(new(new byte[] { 9 })) } },
        });
        await OpenAsync();
        AssertTold("Memory and log differ in ");
    }

    [Fact]
    [Trait("Rule", "S11")]
    public async Task A_floor_that_was_not_in_memory_is_told()
    {
        var floor = new ByteWriter(64);
        AcceptorRecords.WriteFloor(floor, 0, new(B(5), B(5)));
        await AppendAsync(await OpenAsync(), AcceptorRecords.FloorKind, floor.WrittenSpan.ToArray());
        await OpenAsync();
        AssertTold("Memory and log differ in a floor");
    }

    [Fact]
    [Trait("Rule", "S18")]
    public async Task A_lost_batch_takes_its_own_registers_along_and_no_others()
    {
        var journal = await OpenAsync();
        await AcceptAsync(journal, Other, B(1), 1);
        await LoseAsync(journal);
        await OpenAsync();
        Assert.Empty(_problems);

        await LoseAsync(await OpenAsync());
        _memory.Set(Other, _memory[Other] with { Promised = B(9) });
        await OpenAsync();
        AssertTold("Memory and log differ in ");
    }

    [Fact]
    [Trait("Rule", "S18")]
    public async Task A_batch_of_unknown_end_that_came_back_has_to_be_what_was_in_memory()
    {
        await LoseAsync(await OpenAsync());
        _log.Records.Add((AcceptorRecords.AcceptKind, AcceptOf(One, _memory[One])));
        await OpenAsync();
        Assert.Empty(_problems);
    }

    [Fact]
    [Trait("Rule", "S17")]
    public async Task An_append_that_landed_before_the_next_fence_may_be_acknowledged_behind_it()
    {
        var acknowledged = new TaskCompletionSource();
        _log.Acknowledging = acknowledged.Task;
        var appending = AcceptAsync(await OpenAsync(), One, B(1), 1);
        await OpenAsync();
        acknowledged.SetResult();
        await appending;
        await OpenAsync();
        Assert.Empty(_problems);
    }

    [Fact]
    [Trait("Rule", "S17")]
    public async Task An_append_that_is_acknowledged_to_a_former_owner_is_told()
    {
        var former = await OpenAsync();
        await AcceptAsync(former, One, B(1), 1);
        await OpenAsync();
        _log.SwallowsFences = true;
        await AcceptAsync(former, One, B(2), 2);
        AssertTold("An append was acknowledged after the log had been taken over");
    }

    [Fact]
    [Trait("Rule", "S17")]
    public async Task What_a_former_owner_had_in_memory_when_it_was_fenced_counts_for_nothing()
    {
        var former = await OpenAsync();
        var memory = _memory;
        await AcceptAsync(former, Other, B(1), 1);
        _log.Epoch++;
        await Assert.ThrowsAsync<JournalFencedException>(() => AcceptAsync(former, One, B(2), 2));
        await OpenAsync();
        Assert.Empty(_problems);
        Assert.NotEqual(memory[One], _memory[One]);
    }

    [Fact]
    [Trait("Rule", "S17")]
    public async Task A_batch_that_was_fenced_out_and_comes_back_is_told()
    {
        var former = await OpenAsync();
        _log.Epoch++;
        await Assert.ThrowsAsync<JournalFencedException>(() => AcceptAsync(former, One, B(2), 2));
        _log.Records.Add((AcceptorRecords.AcceptKind, AcceptOf(One, _memory[One])));
        await OpenAsync();
        AssertTold("Records came back that were never written as one batch");
    }

    [Fact]
    [Trait("Rule", "S17")]
    public async Task Two_openings_of_one_epoch_are_told()
    {
        await OpenAsync();
        _log.Epoch--;
        await OpenAsync();
        AssertTold("Two openings have the same epoch");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Trait("Rule", "S17")]
    public async Task An_opening_that_was_overtaken_has_seen_what_its_successor_saw(bool isOther)
    {
        await AcceptAsync(await OpenAsync(), One, B(1), 1);
        var opened = new TaskCompletionSource();
        _log.Opening = opened.Task;
        var overtaken = OpenAsync();
        _log.Opening = Task.CompletedTask;
        if (isOther)
        {
            _log.Records.Clear();
        }

        await OpenAsync();
        _problems.Clear();
        opened.SetResult();
        await overtaken;
        Assert.Equal(isOther, _problems.Count > 0);
    }

    [Fact]
    [Trait("Rule", "S5")]
    public async Task An_answer_is_backed_by_what_is_in_the_log_and_nothing_else()
    {
        var journals = new JournalOracle(_problems.Add);
        var journal = await journals.Watch(SimulatedNetwork.Address(0), _log).OpenAsync(
            Identity, new("cluster", "silo"), null, _memory.Replay, CancellationToken.None);
        await AcceptAsync(journal, One, B(2), 1);
        await AppendAsync(journal, AcceptorRecords.PromiseKind, PromiseOf(One, B(4)));

        Assert.True(journals.Backs(Identity.LogId, One, new Accepted(B(2))));
        Assert.False(journals.Backs(Identity.LogId, One, new Accepted(B(3))));
        Assert.False(journals.Backs(Identity.LogId, Other, new Accepted(B(2))));
        Assert.False(journals.Backs(new(2), One, new Accepted(B(2))));
        Assert.True(journals.Backs(Identity.LogId, One, new Promise(B(4), B(2), Value(2))));
        Assert.False(journals.Backs(Identity.LogId, One, new Promise(B(4), B(1), Value(1))));
        Assert.False(journals.Backs(Identity.LogId, One, new Promise(B(5), B(2), Value(2))));
        Assert.True(journals.Backs(Identity.LogId, One, new Conflict(Phase.Prepare, B(9), B(9))));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Trait("Rule", "S13")]
    public async Task A_log_whose_place_was_emptied_begins_anew_under_the_same_id(bool whileItIsOpened)
    {
        await AcceptAsync(await OpenAsync(), One, B(2), 1);
        var reading = new TaskCompletionSource();
        _log.Opening = whileItIsOpened ? reading.Task : Task.CompletedTask;
        var opening = OpenAsync();
        _oracle.Emptied(Identity.Replica);
        reading.TrySetResult();
        await opening;
        (_log.Opening, _log.Epoch) = (Task.CompletedTask, 0);
        _log.Records.Clear();
        var journal = await OpenAsync();
        Assert.Empty(_problems);
        Assert.True(_oracle.Backs(Identity.LogId, One, new Accepted(B(2))));

        // What came after that has to stay.
        await AcceptAsync(journal, Other, B(3), 2);
        _log.Records.Clear();
        await OpenAsync();
        AssertTold("Durable records did not come back");
    }

    [Fact]
    [Trait("Rule", "S13")]
    public async Task The_log_of_another_replica_whose_place_was_emptied_has_to_stay()
    {
        await AcceptAsync(await OpenAsync(), One, B(1), 1);
        _oracle.Emptied(new("r1"));
        _log.Records.Clear();
        await OpenAsync();
        AssertTold("Durable records did not come back");
    }

    private void AssertTold(string what) =>
        Assert.StartsWith(what, Assert.Single(_problems), StringComparison.Ordinal);

    private async Task<IJournal> OpenAsync()
    {
        _memory = new(Groups);
        return await _watched.OpenAsync(Identity, new("cluster", "silo"), null, _memory.Replay, CancellationToken.None);
    }

    /// <summary>As a replica does it: in memory first, then in the log.</summary>
    private async Task AcceptAsync(IJournal journal, RegisterId register, Ballot ballot, ulong version)
    {
        var payload = StoredPayload.Pending(new(new[] { (byte)version }));
        var state = new AcceptorState(ballot, ballot, new(V(version), payload));
        _memory.Set(register, state);
        await AppendAsync(journal, AcceptorRecords.AcceptKind, AcceptOf(register, state));
    }

    private async Task LoseAsync(IJournal journal)
    {
        _log.Loses = true;
        await Assert.ThrowsAsync<IOException>(() => AcceptAsync(journal, One, B(3), 3));
        _log.Loses = false;
    }

    private static async Task AppendAsync(IJournal journal, byte kind, byte[] record)
    {
        var batch = new JournalBatch();
        batch.Add(kind, record);
        await journal.AppendAsync(batch, CancellationToken.None);
    }

    private static byte[] AcceptOf(RegisterId register, AcceptorState state)
    {
        var record = new ByteWriter(256);
        AcceptorRecords.WriteAccept(record, 0, register, state);
        return record.WrittenSpan.ToArray();
    }

    private static byte[] PromiseOf(RegisterId register, Ballot promised)
    {
        var record = new ByteWriter(256);
        AcceptorRecords.WritePromise(record, 0, register, promised);
        return record.WrittenSpan.ToArray();
    }
}
