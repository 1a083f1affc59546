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
/// memory when it was last at rest has to be what the replay yields, to the byte, apart from what a batch that is lost
/// had changed; and no two values may be accepted at one ballot.
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

        /// <summary>The registers that they are about.</summary>
        public HashSet<RegisterId> InUnknown { get; set; } = [];

        public HashSet<RegisterId> Registers { get; } = [];

        /// <summary>What the owner holds in memory.</summary>
        public AcceptorIndex? Memory { get; set; }

        public SiloAddress? Owner { get; set; }
    }

    private sealed class Store(JournalOracle oracle, SiloAddress silo, IJournalStore journals) : IJournalStore
    {
        public bool IsExclusive => journals.IsExclusive;

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

            Compare(expected, shadow, records, replay.Target as AcceptorIndex);
            (shadow.Records, shadow.Unknown, shadow.Owner) = (records, [], silo);
            return new Journal(oracle, shadow, journal);

            void Show(byte kind, JournalPosition position, ReadOnlySpan<byte> record)
            {
                records.Add(HashOf(kind, record));
                oracle.Accepted(kind, position, record);
                replay(kind, position, record);
            }
        }

        private void Compare(
            JournalIdentity identity, LogShadow shadow, List<ulong> records, AcceptorIndex? index)
        {
            var replica = identity.Replica;
            var known = shadow.Records;
            var extra = records.Skip(known.Count).ToList();
            if (records.Count < known.Count || !records.Take(known.Count).SequenceEqual(known))
            {
                oracle.ViolatedBy(
                    replica, $"Durable records did not come back as they were: {records.Count} for {known.Count}");
            }
            else if (extra.Count > 0 && !extra.SequenceEqual(shadow.Unknown))
            {
                oracle.ViolatedBy(replica, $"Records came back that were never written as one batch: {extra.Count}");
            }
            else if (shadow.Memory is { } memory && index is not null)
            {
                var isLost = shadow.Unknown.Count > 0 && extra.Count == 0;
                CompareRegisters(replica, shadow.Registers.Except(isLost ? shadow.InUnknown : []), memory, index);
                CompareFloors(replica, isLost ? 0 : identity.Groups, memory, index);
            }

            shadow.Memory = index;
        }

        private void CompareRegisters(
            ReplicaId replica, IEnumerable<RegisterId> registers, AcceptorIndex memory, AcceptorIndex log)
        {
            foreach (var register in registers.Where(one => ContentOf(memory[one]) != ContentOf(log[one])))
            {
                oracle.ViolatedBy(
                    replica,
                    $"Memory and log differ in {register}: {ContentOf(memory[register])}, {ContentOf(log[register])}");
            }
        }

        private void CompareFloors(ReplicaId replica, int groups, AcceptorIndex memory, AcceptorIndex log)
        {
            for (var group = 0; group < groups; group++)
            {
                if (memory.Floor(group) != log.Floor(group))
                {
                    oracle.ViolatedBy(
                        replica, $"Memory and log differ in a floor: {memory.Floor(group)}, {log.Floor(group)}");
                }
            }
        }

        /// <summary>All that a state says, wherever its bytes may lie.</summary>
        private static (Ballot Promised, Ballot Accepted, RegisterVersion? Version, int? Length, ulong? Checksum)
            ContentOf(AcceptorState state)
        {
            var payload = state.Value?.Payload as StoredPayload;
            return (state.Promised, state.Accepted, state.Value?.Version, payload?.Length, payload?.Checksum);
        }
    }

    private void ViolatedBy(ReplicaId replica, string what) => violated($"{what} (replica {replica}).");

    private static ulong HashOf(byte kind, ReadOnlySpan<byte> record) => XxHash3.HashToUInt64(record, kind);

    private sealed class Journal(JournalOracle oracle, LogShadow shadow, IJournal inner) : IJournal
    {
        public JournalIdentity Identity => inner.Identity;

        public long Epoch => inner.Epoch;

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
            shadow.InUnknown = [];
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
                    shadow.InUnknown.Add(register);
                }
            }

            return hashes;
        }
    }
}
