using System.IO.Hashing;
using Orleans.Consensus.Codec;
using Orleans.Consensus.Engines;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Paxos;
using Orleans.Runtime;

namespace Orleans.Consensus.Simulation.Oracles;

/// <summary>
/// Stands between every replica and its log and remembers what was made durable: at the next opening all of it has to
/// come back, in order, and nothing else than perhaps the one batch whose end is unknown; what the replica held in
/// memory when it was last at rest has to be what the replay yields; and no two values may be accepted at one ballot.
/// </summary>
internal sealed class JournalOracle(Action<string> violated)
{
    private readonly Dictionary<LogId, LogShadow> _logs = [];
    private readonly Dictionary<(RegisterId, Ballot), RegisterVersion> _accepted = [];

    /// <summary>Who opened a log last: nobody else may answer from it.</summary>
    public SiloAddress? OwnerOf(LogId log) => _logs.GetValueOrDefault(log)?.Owner;

    public IJournalStore Watch(SiloAddress silo, IJournalStore journals) => new Store(this, silo, journals);

    private void Accepted(byte kind, JournalPosition position, ReadOnlySpan<byte> record)
    {
        var reader = new ByteReader(record);
        if (kind == AcceptorRecords.AcceptKind
            && AcceptorRecords.TryReadPromise(ref reader, out _, out var register, out _)
            && AcceptorRecords.TryReadAccepted(ref reader, position, out var ballot, out var value)
            && !_accepted.TryAdd((register, ballot), value!.Version)
            && _accepted[(register, ballot)] != value.Version)
        {
            violated($"Two values were accepted for {register} at {ballot}.");
        }
    }

    /// <summary>What is known of one log.</summary>
    private sealed class LogShadow
    {
        /// <summary>One hash for each durable record.</summary>
        public List<ulong> Records { get; set; } = [];

        /// <summary>The records of a batch that may or may not be there.</summary>
        public List<ulong> Unknown { get; set; } = [];

        public HashSet<RegisterId> Registers { get; } = [];

        /// <summary>What the owner holds in memory.</summary>
        public AcceptorIndex? Memory { get; set; }

        public SiloAddress? Owner { get; set; }
    }

    private sealed class Store(JournalOracle oracle, SiloAddress silo, IJournalStore journals) : IJournalStore
    {
        public async ValueTask<IJournal> OpenAsync(
            JournalIdentity expected,
            JournalOwner owner,
            JournalPosition? from,
            JournalReplay replay,
            CancellationToken cancellationToken)
        {
            var records = new List<ulong>();
            var journal = await journals.OpenAsync(expected, owner, from, Show, cancellationToken);
            var log = journal.Identity.LogId;
            if (!oracle._logs.TryGetValue(log, out var shadow))
            {
                oracle._logs.Add(log, shadow = new());
            }

            Compare(expected.Replica, shadow, records, replay.Target as AcceptorIndex);
            (shadow.Records, shadow.Unknown, shadow.Owner) = (records, [], silo);
            return new Journal(oracle, shadow, journal);

            void Show(byte kind, JournalPosition position, ReadOnlySpan<byte> record)
            {
                records.Add(HashOf(kind, record));
                oracle.Accepted(kind, position, record);
                replay(kind, position, record);
            }
        }

        private void Compare(ReplicaId replica, LogShadow shadow, List<ulong> records, AcceptorIndex? index)
        {
            var known = shadow.Records;
            var extra = records.Skip(known.Count).ToList();
            if (records.Count < known.Count || !records.Take(known.Count).SequenceEqual(known))
            {
                oracle.ViolatedBy(replica, $"{known.Count} records were durable, {records.Count} others came back");
            }
            else if (extra.Count > 0 && !extra.SequenceEqual(shadow.Unknown))
            {
                oracle.ViolatedBy(replica, $"{extra.Count} records came back that were never written as one batch");
            }
            else if (shadow.Unknown.Count == 0 && shadow.Memory is { } memory && index is not null)
            {
                foreach (var register in shadow.Registers.Where(one => !Same(memory[one], index[one])))
                {
                    oracle.ViolatedBy(
                        replica, $"{register} was {memory[register]} in memory and is {index[register]} in the log");
                }
            }

            shadow.Memory = index;
        }

        private static bool Same(AcceptorState left, AcceptorState right) =>
            left.Promised == right.Promised && left.Accepted == right.Accepted
            && left.Value?.Version == right.Value?.Version;
    }

    private void ViolatedBy(ReplicaId replica, string what) => violated($"Replica {replica}: {what}.");

    private static ulong HashOf(byte kind, ReadOnlySpan<byte> record) => XxHash3.HashToUInt64(record, kind);

    private sealed class Journal(JournalOracle oracle, LogShadow shadow, IJournal inner) : IJournal
    {
        public JournalIdentity Identity => inner.Identity;

        public long Bytes => inner.Bytes;

        public async ValueTask<JournalPosition> AppendAsync(JournalBatch batch, CancellationToken cancellationToken)
        {
            shadow.Unknown = RecordsOf(batch);
            try
            {
                var position = await inner.AppendAsync(batch, cancellationToken);
                shadow.Records.AddRange(shadow.Unknown);
                shadow.Unknown = [];
                return position;
            }
            catch (JournalFullException)
            {
                shadow.Unknown = [];
                throw;
            }
        }

        public ValueTask<ReadOnlyMemory<byte>> ReadAsync(
            JournalPosition position, int length, CancellationToken cancellationToken) =>
            inner.ReadAsync(position, length, cancellationToken);

        public ValueTask DisposeAsync() => inner.DisposeAsync();

        private List<ulong> RecordsOf(JournalBatch batch)
        {
            var hashes = new List<ulong>(batch.Count);
            var reader = new ByteReader(batch.Body.Span);
            while (reader.TryReadByte(out var kind) && reader.TryReadBlob(out var record))
            {
                hashes.Add(HashOf(kind, record));
                oracle.Accepted(kind, new(1, 0), record);
                var head = new ByteReader(record);
                if (kind is AcceptorRecords.AcceptKind or AcceptorRecords.PromiseKind
                    && AcceptorRecords.TryReadPromise(ref head, out _, out var register, out _))
                {
                    shadow.Registers.Add(register);
                }
            }

            return hashes;
        }
    }
}
