using Orleans.Consensus.Codec;
using Orleans.Consensus.Engines;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Paxos;

namespace Orleans.Consensus.Tests.Engines;

/// <summary>The acceptor's records, docs/journal-format.md "Acceptor records".</summary>
public sealed class AcceptorRecordTests
{
    private static readonly ProposerId One = new(1);
    private static readonly RegisterId Register = RegisterId.Create("s", "p", "n", "t"u8, "k"u8);
    private static readonly AcceptorState Accepted = new(
        new(2, One),
        new(1, One),
        new(new(One, 1), StoredPayload.Pending(new("hi"u8.ToArray()))));

    [Fact]
    public void A_golden_accept_record_never_changes()
    {
        var writer = new ByteWriter(16);
        AcceptorRecords.WriteAccept(writer, 3, Register, Accepted);
        Assert.Equal(
            "030a01730170016e0174016b02000000000000000100000000000000000000000000000001000000"
            + "00000000010000000000000000000000000000000100000000000000000000000000000001000000"
            + "00000000019a6eead7bb00232a026869",
            Convert.ToHexStringLower(writer.WrittenSpan));
    }

    [Fact]
    public void A_golden_promise_record_never_changes()
    {
        var writer = new ByteWriter(16);
        AcceptorRecords.WritePromise(writer, 3, Register, new(2, One));
        Assert.Equal(
            "030a01730170016e0174016b020000000000000001000000000000000000000000000000",
            Convert.ToHexStringLower(writer.WrittenSpan));
    }

    [Fact, Trait("Rule", "S5")]
    public void Replay_restores_promise_ballot_and_value_from_one_record()
    {
        var index = new AcceptorIndex(16);
        var writer = new ByteWriter(16);
        AcceptorRecords.WriteAccept(writer, Register.GroupOf(16), Register, Accepted);
        index.Replay(AcceptorRecords.AcceptKind, new(1, 4096), writer.WrittenSpan);

        var state = index[Register];
        Assert.Equal(Accepted.Promised, state.Promised);
        Assert.Equal(Accepted.Accepted, state.Accepted);
        Assert.Equal(Accepted.Value!.Version, state.Value!.Version);
        var payload = Assert.IsType<StoredPayload>(state.Value.Payload);
        Assert.Equal(new JournalPosition(1, 4096 + writer.Length - 2), payload.Position);
        Assert.Equal(2, payload.Length);
    }

    [Fact]
    public void A_truncated_or_lengthened_record_ends_replay()
    {
        var writer = new ByteWriter(16);
        AcceptorRecords.WriteAccept(writer, Register.GroupOf(16), Register, Accepted);
        for (var length = 0; length < writer.Length; length++)
        {
            var cut = writer.WrittenSpan[..length].ToArray();
            Assert.Throws<JournalCorruptException>(
                () => new AcceptorIndex(16).Replay(AcceptorRecords.AcceptKind, default, cut));
        }

        writer.WriteByte(0);
        var longer = writer.WrittenSpan.ToArray();
        Assert.Throws<JournalCorruptException>(
            () => new AcceptorIndex(16).Replay(AcceptorRecords.AcceptKind, default, longer));
    }

    [Theory]
    [InlineData("peers that are none", AcceptorRecords.PeersKind, "00")]
    [InlineData("formed, with bytes behind it", AcceptorRecords.FormedKind, "00")]
    [Trait("Rule", "S13")]
    public void A_record_of_formation_that_no_replica_can_have_written_ends_replay(string what, byte kind, string hex)
    {
        var index = new AcceptorIndex(16);
        var peers = new ByteWriter(64);
        AcceptorRecords.WritePeers(peers, [new(1), new(2), new(3)]);
        if (kind == AcceptorRecords.FormedKind)
        {
            index.Replay(AcceptorRecords.PeersKind, default, peers.WrittenSpan);
        }

        var problem = Record.Exception(() => index.Replay(kind, default, Convert.FromHexString(hex)));

        Assert.True(problem is JournalCorruptException, what);
    }

    [Fact, Trait("Rule", "S3")]
    public void A_record_that_lowers_a_ballot_ends_replay()
    {
        var index = new AcceptorIndex(16);
        var writer = new ByteWriter(16);
        AcceptorRecords.WritePromise(writer, Register.GroupOf(16), Register, new(5, One));
        var high = writer.WrittenSpan.ToArray();
        writer.Clear();
        AcceptorRecords.WritePromise(writer, Register.GroupOf(16), Register, new(4, One));
        var low = writer.WrittenSpan.ToArray();

        index.Replay(AcceptorRecords.PromiseKind, default, high);
        Assert.Throws<JournalCorruptException>(() => index.Replay(AcceptorRecords.PromiseKind, default, low));
    }

    [Fact, Trait("Rule", "S11")]
    public void A_floor_in_the_log_stands_for_every_absent_register_of_its_group_and_never_goes_back()
    {
        var group = Register.GroupOf(16);
        var index = new AcceptorIndex(16);
        ReplayFloor(index, group, new(3, One));
        ReplayFloor(index, group, new(5, One));

        Assert.Equal(new Ballot(5, One), index.Floor(group).Floor);
        Assert.Equal(AcceptorState.Absent(new(5, One)), index[Register]);
        Assert.Equal(5, index.HighestRound);
        Assert.Equal(default, index.Floor((group + 1) % 16));
        Assert.Throws<JournalCorruptException>(() => ReplayFloor(index, group, new(4, One)));
    }

    [Fact, Trait("Rule", "S12")]
    public void A_drop_in_the_log_takes_a_tombstone_away_that_the_floor_covers_and_no_other()
    {
        var group = Register.GroupOf(16);
        var index = new AcceptorIndex(16);
        var writer = new ByteWriter(64);
        var tombstone = new AcceptorState(new(2, One), new(1, One), new(new(One, 1), Payload: null));
        AcceptorRecords.WriteAccept(writer, group, Register, tombstone);
        index.Replay(AcceptorRecords.AcceptKind, new(1, 4096), writer.WrittenSpan);
        ReplayFloor(index, group, new(2, One));
        writer.Clear();
        AcceptorRecords.WritePromise(writer, group, Register, new(2, One));
        index.Replay(AcceptorRecords.DropKind, new(1, 8192), writer.WrittenSpan);

        Assert.Equal(0, index.Count);
        Assert.Equal(AcceptorState.Absent(new(2, One)), index[Register]);

        writer.Clear();
        var later = tombstone with { Promised = new(9, One), Accepted = new(8, One) };
        AcceptorRecords.WriteAccept(writer, group, Register, later);
        index.Replay(AcceptorRecords.AcceptKind, new(1, 12288), writer.WrittenSpan);
        writer.Clear();
        AcceptorRecords.WritePromise(writer, group, Register, new(2, One));
        var drop = writer.WrittenSpan.ToArray();
        Assert.Throws<JournalCorruptException>(() => index.Replay(AcceptorRecords.DropKind, default, drop));
    }

    [Fact, Trait("Rule", "S11")]
    public void A_floor_in_the_log_forgets_the_promises_that_it_covers_and_no_other()
    {
        var index = new AcceptorIndex(1);
        var other = RegisterId.Create("s", "p", "n", "t"u8, "other"u8);
        ReplayPromise(index, Register, new(2, One));
        ReplayPromise(index, other, new(4, One));
        Replay(index, new(new(3, One), Ballot.None));

        Assert.Equal(1, index.Count);
        Assert.Equal(AcceptorState.Absent(new(3, One)), index[Register]);
        Assert.Equal(new Ballot(4, One), index[other].Promised);
        Assert.Throws<JournalCorruptException>(() => ReplayPromise(index, Register, new(3, One)));
    }

    [Theory, Trait("Rule", "S12")]
    [InlineData("a horizon above its floor", 5, 6)]
    [InlineData("a horizon that goes back", 6, 2)]
    [InlineData("a floor that goes back", 4, 3)]
    public void A_floor_that_no_replica_can_have_written_ends_replay(string what, long floor, long horizon)
    {
        var index = new AcceptorIndex(1);
        Replay(index, new(new(5, One), new(3, One)));
        Replay(index, new(new(6, One), new(3, One)));
        index = new(1);
        Replay(index, new(new(5, One), new(3, One)));
        var problem = Record.Exception(() => Replay(index, new(new(floor, One), new(horizon, One))));

        Assert.True(problem is JournalCorruptException, what);
    }

    [Fact, Trait("Rule", "S12")]
    public void A_drop_above_the_horizon_ends_replay()
    {
        var index = new AcceptorIndex(1);
        var writer = new ByteWriter(16);
        AcceptorRecords.WriteAccept(
            writer, 0, Register, new(new(2, One), new(2, One), new(new(One, 1), Payload: null)));
        index.Replay(AcceptorRecords.AcceptKind, new(1, 4096), writer.WrittenSpan);
        Replay(index, new(new(5, One), new(1, One)));
        writer.Clear();
        AcceptorRecords.WritePromise(writer, 0, Register, new(2, One));
        var drop = writer.WrittenSpan.ToArray();
        Assert.Throws<JournalCorruptException>(() => index.Replay(AcceptorRecords.DropKind, default, drop));
    }

    private static void ReplayPromise(AcceptorIndex index, RegisterId register, Ballot promised)
    {
        var writer = new ByteWriter(64);
        AcceptorRecords.WritePromise(writer, register.GroupOf(index.Groups), register, promised);
        index.Replay(AcceptorRecords.PromiseKind, new(1, 4096), writer.WrittenSpan);
    }

    private static void Replay(AcceptorIndex index, GroupFloor floor)
    {
        var writer = new ByteWriter(64);
        AcceptorRecords.WriteFloor(writer, 0, floor);
        index.Replay(AcceptorRecords.FloorKind, new(1, 4096), writer.WrittenSpan);
    }

    private static void ReplayFloor(AcceptorIndex index, int group, Ballot floor)
    {
        var writer = new ByteWriter(64);
        AcceptorRecords.WriteFloor(writer, group, new(floor, floor));
        index.Replay(AcceptorRecords.FloorKind, new(1, 4096), writer.WrittenSpan);
    }
}
