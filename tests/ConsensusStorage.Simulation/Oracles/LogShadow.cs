using Orleans.Consensus.Engines;
using Orleans.Consensus.Paxos;
using Orleans.Runtime;

namespace Orleans.Consensus.Simulation.Oracles;

/// <summary>What is known of one log, whoever has it: what is durable in it, and who opened it last.</summary>
/// <param name="gone">
/// What the log was before its place was emptied: nothing of that has to come back, but the answers that were given
/// from it stay true.
/// </param>
internal sealed class LogShadow(ReplicaId replica, LogShadow? gone = null)
{
    private readonly List<LogRecord> _records = [];
    private readonly Dictionary<RegisterId, Ballot> _accepted = [];
    private readonly Dictionary<(RegisterId, Ballot), Ballot> _promises = gone?._promises ?? [];
    private readonly HashSet<(RegisterId, Ballot)> _acceptances = gone?._acceptances ?? [];

    public ReplicaId Replica => replica;

    /// <summary>All that was acknowledged to any owner, or shown to the last one.</summary>
    public IReadOnlyList<LogRecord> Records => _records;

    /// <summary>The opening of the highest epoch.</summary>
    public LogOpening? Newest { get; set; }

    /// <summary>Its place was emptied: what is found there under its id from now on begins anew.</summary>
    public bool IsGone { get; set; }

    /// <summary>All registers that were ever written about.</summary>
    public HashSet<RegisterId> Registers { get; } = [];

    /// <summary>Whether it holds records at a place, counted from 0.</summary>
    public bool Holds(IReadOnlyList<LogRecord> records, int at)
    {
        if (at + records.Count > _records.Count)
        {
            return false;
        }

        for (var i = 0; i < records.Count; i++)
        {
            if (records[i].Hash != _records[at + i].Hash)
            {
                return false;
            }
        }

        return true;
    }

    public void Add(IEnumerable<LogRecord> records)
    {
        foreach (var record in records)
        {
            _records.Add(record);
            if (record.Register is not { } register)
            {
                continue;
            }

            if (record.Version is null)
            {
                _promises[(register, record.Ballot)] = _accepted.GetValueOrDefault(register);
            }
            else
            {
                _accepted[register] = record.Ballot;
                _acceptances.Add((register, record.Ballot));
            }
        }
    }

    /// <summary>Forgets all and begins anew: what came back was not what was known.</summary>
    public void Reset(IEnumerable<LogRecord> records)
    {
        _records.Clear();
        _accepted.Clear();
        _promises.Clear();
        _acceptances.Clear();
        Add(records);
    }

    /// <summary>Whether what an answer says was made durable here, whoever gives it.</summary>
    public bool Backs(RegisterId register, Reply reply) => reply switch
    {
        Promise promise => _promises.TryGetValue((register, promise.Ballot), out var accepted)
            && accepted == promise.Accepted,
        Accepted accepted => _acceptances.Contains((register, accepted.Ballot)),
        _ => true,
    };
}

/// <summary>One opening of a log, from its fence to the next one, or to its end.</summary>
/// <param name="memory">What its owner holds in memory.</param>
/// <param name="known">Records that were there when it was opened.</param>
internal sealed class LogOpening(SiloAddress owner, long epoch, AcceptorIndex? memory, int known)
{
    public SiloAddress Owner => owner;

    public long Epoch => epoch;

    public AcceptorIndex? Memory => memory;

    /// <summary>Records that its owner knows to be there.</summary>
    public int Known { get; set; } = known;

    /// <summary>The records of a batch that may or may not be there.</summary>
    public List<LogRecord> Unknown { get; set; } = [];

    /// <summary>The records of the last batch that was not acknowledged.</summary>
    public List<LogRecord> InDoubt { get; set; } = [];

    /// <summary>Its owner was told that somebody else has the log.</summary>
    public bool IsFenced { get; set; }
}
