using Orleans.Consensus.Codec;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Paxos;

namespace Orleans.Consensus.Engines;

/// <summary>
/// Raises the floors of a replica of its own accord (S11), so that promises for registers that are never written can be
/// forgotten: now and then to an hour ago, and at once where there are too many. What a floor refuses is tried again
/// above it. Belongs to the replica's loop. Does not: move a horizon, or drop anything.
/// </summary>
internal sealed class OwnFloors(AcceptorIndex index, int mostPromises)
{
    /// <summary>Bytes of names that there is room for, for each promise that there is room for.</summary>
    private const long NameBytes = 512;

    private const long IntervalMilliseconds = 60_000;

    private readonly List<(int Group, GroupFloor Before)> _raised = [];
    private long _next = long.MinValue;

    private bool IsOverfull =>
        index.Promises.Count > mostPromises || index.Promises.NameBytes > mostPromises * NameBytes;

    /// <summary>Adds records of what is due behind the decisions of a batch.</summary>
    public void AddTo(JournalBatch batch, ByteWriter record, long unixMilliseconds)
    {
        if (IsOverfull)
        {
            var fullest = index.Promises.FullestGroup();
            var median = index.Promises.MedianOf(fullest);
            var believed = Ballot.Min(median, index.HighestAccepted);
            Raise(fullest, index.Promises.WouldFree(fullest, believed) ? believed : median, batch, record);
        }
        else if (unixMilliseconds >= _next || _next - unixMilliseconds > IntervalMilliseconds)
        {
            _next = unixMilliseconds + IntervalMilliseconds;
            var hourAgo = Ballot.Min(
                new Ballot(Math.Max(0, Ballot.RoundAt(unixMilliseconds) - Ballot.Hour), default),
                index.HighestAccepted);
            for (var group = 0; group < index.Groups; group++)
            {
                if (index.Promises.WouldFree(group, hourAgo))
                {
                    Raise(group, hourAgo, batch, record);
                }
            }
        }
    }

    /// <summary>What was added is durable: the promises below are forgotten.</summary>
    public void Landed()
    {
        foreach (var (group, _) in _raised)
        {
            index.ForgetCovered(group);
        }

        _raised.Clear();
    }

    /// <summary>What was added has not become durable, and nothing was forgotten.</summary>
    public void TakeBack()
    {
        _raised.ForEach(raised => index.Stand(raised.Group, raised.Before));
        _raised.Clear();
    }

    /// <summary>
    /// Never above the highest ballot held, and, as long as that frees anything, not above what a majority has
    /// believed: the clock of this silo may be wrong, and its replica and its proposer believe each other.
    /// </summary>
    private void Raise(int group, Ballot to, JournalBatch batch, ByteWriter record)
    {
        var before = index.Floor(group);
        var floor = Acceptor.RaiseFloor(before, Ballot.Min(to, index.HighestOf(group)));
        if (floor != before)
        {
            record.Clear();
            AcceptorRecords.WriteFloor(record, group, floor);
            batch.Add(AcceptorRecords.FloorKind, record.WrittenSpan);
            index.Stand(group, floor);
            _raised.Add((group, before));
        }
    }
}
