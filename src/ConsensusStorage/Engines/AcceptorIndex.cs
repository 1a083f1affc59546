using System.Collections.Immutable;
using Orleans.Consensus.Codec;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Paxos;

namespace Orleans.Consensus.Engines;

/// <summary>
/// What a replica holds in memory of its log: each register's acceptor state, each group's floor, and who its peers
/// are. Promises that the floor covers are forgotten. Rebuilt by replay; a record that would lower a ballot ends it.
/// Single-threaded.
/// </summary>
internal sealed class AcceptorIndex
{
    /// <summary>Registers with a value or tombstone.</summary>
    private readonly Dictionary<RegisterId, AcceptorState> _registers = [];
    private readonly GroupFloor[] _floors;
    private readonly Ballot[] _highest;

    public AcceptorIndex(int groups)
    {
        _floors = new GroupFloor[groups];
        Promises = new(groups);
        _highest = new Ballot[groups];
    }

    /// <summary>The log ids of all replicas, once durable in this log; else empty.</summary>
    public ImmutableArray<LogId> Peers { get; set; } = [];

    /// <summary>All replicas have one another's log ids: this one may answer (S13).</summary>
    public bool Formed { get; set; }

    /// <summary>Number of registers held.</summary>
    public int Count => _registers.Count + Promises.Count;

    /// <summary>Registers that have nothing but a promise.</summary>
    public PromisedRegisters Promises { get; }

    public int Groups => _floors.Length;

    /// <summary>The highest round in any ballot held (S4).</summary>
    public long HighestRound { get; private set; }

    /// <summary>
    /// The highest accepted ballot of all groups: a majority promised it, so the clock of one silo can't have made it.
    /// </summary>
    public Ballot HighestAccepted { get; private set; }

    /// <summary>The last ballot of each group.</summary>
    public ImmutableArray<Ballot> Highest => [.. _highest];

    public int GroupOf(RegisterId register) => register.GroupOf(_floors.Length);

    public GroupFloor Floor(int group) => _floors[group];

    /// <summary>The last ballot of a group.</summary>
    public Ballot HighestOf(int group) => _highest[group];

    public AcceptorState this[RegisterId register]
    {
        get
        {
            if (_registers.TryGetValue(register, out var state))
            {
                return state;
            }

            var floor = Floor(GroupOf(register)).Floor;
            return Promises.Find(register) is { } promised && !promised.IsCoveredBy(floor)
                ? promised
                : AcceptorState.Absent(floor);
        }
    }

    /// <summary>Takes a state over and returns the one it replaces, null if there was none.</summary>
    public AcceptorState? Set(RegisterId register, AcceptorState state)
    {
        if (state.Accepted.IsNone)
        {
            return Promises.Set(GroupOf(register), register, state);
        }

        ref var slot = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(
            _registers, register, out var existed);
        var before = existed ? slot : Promises.Remove(GroupOf(register), register);
        slot = state;
        return before;
    }

    /// <summary>Takes a floor over, or takes it back.</summary>
    public void Stand(int group, GroupFloor floor) => _floors[group] = floor;

    /// <summary>The floor of a group is durable: promises that it covers are forgotten.</summary>
    public void ForgetCovered(int group)
    {
        Note(group, Floor(group).Floor);
        Promises.Forget(group, Floor(group).Floor);
    }

    /// <summary>What was <see cref="Set"/> last is durable.</summary>
    public void Landed(RegisterId register)
    {
        var state = this[register];
        Note(GroupOf(register), state.Highest);
        HighestAccepted = Ballot.Max(HighestAccepted, state.Accepted);
    }

    /// <summary>Takes a <see cref="Set"/> back that did not become durable.</summary>
    public void Restore(RegisterId register, AcceptorState? before)
    {
        if (before is null || before.Accepted.IsNone)
        {
            _registers.Remove(register);
            Promises.Remove(GroupOf(register), register);
        }

        if (before is not null)
        {
            Set(register, before);
        }
    }

    /// <summary>Applies one record of the log.</summary>
    /// <exception cref="JournalCorruptException">It can't be read, or it would lower a ballot.</exception>
    public void Replay(byte kind, JournalPosition position, ReadOnlySpan<byte> record)
    {
        var reader = new ByteReader(record);
        var valid = kind switch
        {
            AcceptorRecords.PromiseKind => ReplayPromise(ref reader),
            AcceptorRecords.AcceptKind => ReplayAccept(ref reader, position),
            AcceptorRecords.FloorKind => ReplayFloor(ref reader),
            AcceptorRecords.DropKind => ReplayDrop(ref reader),
            AcceptorRecords.PeersKind => ReplayPeers(ref reader),
            AcceptorRecords.FormedKind => Formed = !Peers.IsEmpty && record.IsEmpty,
            _ => false,
        };
        if (!valid)
        {
            throw new JournalCorruptException(
                $"The record of kind {kind} at {position} is not one that this replica can have written.");
        }
    }

    private bool ReplayPromise(ref ByteReader reader)
    {
        if (!TryReadHead(ref reader, out var register, out var promised) || reader.Remaining != 0)
        {
            return false;
        }

        var state = this[register];
        Set(register, state with { Promised = promised });
        Landed(register);
        return promised > state.Highest;
    }

    private bool ReplayAccept(ref ByteReader reader, JournalPosition position)
    {
        if (!TryReadHead(ref reader, out var register, out var promised)
            || !AcceptorRecords.TryReadAccepted(ref reader, position, out var accepted, out var value))
        {
            return false;
        }

        var state = this[register];
        Set(register, new(promised, accepted, value));
        Landed(register);
        return accepted > state.Accepted && accepted >= state.Promised && promised >= accepted;
    }

    private bool ReplayFloor(ref ByteReader reader)
    {
        if (!AcceptorRecords.TryReadFloor(ref reader, out var group, out var floor) || group >= _floors.Length)
        {
            return false;
        }

        var before = _floors[group];
        Stand(group, floor);
        ForgetCovered(group);
        return floor.MayFollow(before);
    }

    private bool ReplayDrop(ref ByteReader reader)
    {
        if (!TryReadHead(ref reader, out var register, out var floor) || reader.Remaining != 0)
        {
            return false;
        }

        var (state, group) = (this[register], Floor(GroupOf(register)));
        var covered = state.Highest <= group.Floor && state.Accepted <= group.Horizon && floor <= group.Floor;
        _registers.Remove(register);
        return covered;
    }

    private bool ReplayPeers(ref ByteReader reader)
    {
        var first = Peers.IsEmpty;
        var read = AcceptorRecords.TryReadPeers(ref reader, out var peers);
        Peers = peers;
        return read && first && !peers.IsEmpty;
    }

    private bool TryReadHead(ref ByteReader reader, out RegisterId register, out Ballot ballot) =>
        AcceptorRecords.TryReadPromise(ref reader, out var group, out register, out ballot)
        && group == GroupOf(register);

    private void Note(int group, Ballot ballot)
    {
        _highest[group] = Ballot.Max(_highest[group], ballot);
        HighestRound = Math.Max(HighestRound, ballot.Round);
    }
}
