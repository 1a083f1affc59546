using Orleans.Consensus.Engines;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Paxos;
using Orleans.Runtime;

namespace Orleans.Consensus.Simulation.Oracles;

/// <summary>
/// Stands between every replica and its log and remembers what was made durable, whoever had it: at the next opening
/// all of it has to come back, in order, and nothing else than perhaps the one batch whose end is unknown; what the
/// replica held in memory when it was last at rest has to be what the replay yields, to the byte, apart from what a
/// batch that is lost had changed; and no two values may be accepted at one ballot. Where a log can be taken over from
/// an owner who still runs, nothing is acknowledged to that one any more but what its successor was shown (S17).
/// </summary>
internal sealed class JournalOracle(Action<string> violated)
{
    private readonly Dictionary<LogId, LogShadow> _logs = [];
    private readonly Dictionary<(RegisterId, Ballot), RegisterVersion> _accepted = [];
    private readonly Dictionary<ReplicaId, int> _emptied = [];

    /// <summary>Who opened a log last.</summary>
    public SiloAddress? OwnerOf(LogId log) => _logs.GetValueOrDefault(log)?.Newest?.Owner;

    /// <summary>Whether what an answer says is in a log as its last owner knows it.</summary>
    public bool Backs(LogId log, RegisterId register, Reply reply) =>
        _logs.GetValueOrDefault(log)?.Backs(register, reply) ?? false;

    /// <summary>Told of situations, for the statistics.</summary>
    public Action<string> Saw { get; init; } = static _ => { };

    public IJournalStore Watch(SiloAddress silo, IJournalStore journals) => new Store(this, silo, journals);

    /// <summary>
    /// Told that the place of a replica's logs was emptied. A header that was on its way may still get there, so that
    /// a log of the same id begins anew.
    /// </summary>
    public void Emptied(ReplicaId replica)
    {
        _emptied[replica] = TimesEmptied(replica) + 1;
        foreach (var shadow in _logs.Values.Where(one => one.Replica == replica))
        {
            shadow.IsGone = true;
        }
    }

    private int TimesEmptied(ReplicaId replica) => _emptied.GetValueOrDefault(replica);

    private void Note(LogRecord record)
    {
        if (record is { Register: { } register, Version: { } version }
            && !_accepted.TryAdd((register, record.Ballot), version)
            && _accepted[(register, record.Ballot)] != version)
        {
            violated($"Two values were accepted for {register} at {record.Ballot}.");
        }
    }

    private void ViolatedBy(ReplicaId replica, string what) => violated($"{what} (replica {replica}).");

    private sealed class Store(JournalOracle oracle, SiloAddress silo, IJournalStore journals)
        : JournalsBetween(journals)
    {
        public override async ValueTask<IJournal> OpenAsync(
            JournalIdentity expected,
            JournalOwner owner,
            JournalPosition? from,
            JournalReplay replay,
            CancellationToken cancellationToken)
        {
            var records = new List<LogRecord>();
            var emptied = oracle.TimesEmptied(expected.Replica);
            var journal = await Inner.OpenAsync(expected, owner, from, Show, cancellationToken);
            var log = journal.Identity.LogId;
            if (!oracle._logs.TryGetValue(log, out var shadow) || shadow.IsGone)
            {
                oracle._logs[log] = shadow = new(expected.Replica, shadow);

                // Whether this one saw the log before it was emptied, or after, can't be told.
                shadow.IsGone = emptied != oracle.TimesEmptied(expected.Replica);
            }

            var opening = new LogOpening(silo, journal.Epoch, replay.Target as AcceptorIndex, records.Count);
            Enter(expected, shadow, records, opening);
            return new Journal(oracle, shadow, opening, journal);

            void Show(byte kind, JournalPosition position, ReadOnlySpan<byte> record)
            {
                var read = LogRecord.Of(kind, record);
                records.Add(read);
                oracle.Note(read);
                replay(kind, position, record);
            }
        }

        private void Enter(JournalIdentity identity, LogShadow shadow, List<LogRecord> records, LogOpening opening)
        {
            var replica = identity.Replica;
            if (shadow.Newest is { } newest && opening.Epoch <= newest.Epoch)
            {
                // It has heard of its own fence only after another one had followed.
                oracle.Saw("an opening was overtaken by another");
                if (opening.Epoch == newest.Epoch)
                {
                    oracle.ViolatedBy(replica, $"Two openings have the same epoch, {opening.Epoch}");
                }
                else if (!shadow.Holds(records, 0))
                {
                    oracle.ViolatedBy(replica, $"An opening that was overtaken saw {records.Count} other records");
                }

                return;
            }

            if (shadow.Newest is { } owner && !owner.Owner.Equals(opening.Owner))
            {
                oracle.Saw("a log was opened by another silo");
            }

            if (shadow.IsGone)
            {
                shadow.Add(records);
            }
            else if (Follows(replica, shadow, records))
            {
                shadow.Add(records.Skip(shadow.Records.Count).ToList());
                CompareMemory(identity, shadow, records.Count, opening);
            }
            else
            {
                shadow.Reset(records);
            }

            shadow.Newest = opening;
        }

        /// <summary>What the former owner held in memory at rest is what is in the log.</summary>
        private void CompareMemory(JournalIdentity identity, LogShadow shadow, int records, LogOpening opening)
        {
            if (shadow.Newest is not { Memory: { } memory } former || opening.Memory is not { } index)
            {
                return;
            }

            var isLost = former.IsFenced || (former.Unknown.Count > 0 && former.Known == records);
            var lost = isLost ? former.InDoubt.Select(one => one.Register).OfType<RegisterId>() : [];

            // A floor that is lost spoke for every register without a value.
            var hasLostFloor = isLost && former.InDoubt.Any(one => one.Register is null);
            var kept = shadow.Registers.Except(lost).Where(
                one => !hasLostFloor || !memory[one].Accepted.IsNone || !index[one].Accepted.IsNone);
            CompareRegisters(identity.Replica, kept, memory, index);
            CompareFloors(identity.Replica, isLost ? 0 : identity.Groups, memory, index);
        }

        /// <summary>Whether records are those that were known, and at most one batch more.</summary>
        private bool Follows(ReplicaId replica, LogShadow shadow, List<LogRecord> records)
        {
            var known = shadow.Records.Count;
            if (records.Count < known || !shadow.Holds(records[..known], 0))
            {
                oracle.ViolatedBy(
                    replica, $"Durable records did not come back as they were: {records.Count} for {known}");
                return false;
            }

            if (records.Count > known
                && !records.Skip(known).SequenceEqual(shadow.Newest?.Unknown ?? Enumerable.Empty<LogRecord>()))
            {
                oracle.ViolatedBy(
                    replica, $"Records came back that were never written as one batch: {records.Count - known}");
                return false;
            }

            return true;
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

    private sealed class Journal(JournalOracle oracle, LogShadow shadow, LogOpening opening, IJournal inner)
        : JournalBetween(inner)
    {
        public override async ValueTask<JournalPosition> AppendAsync(
            JournalBatch batch, CancellationToken cancellationToken)
        {
            Begin(LogRecord.In(batch));
            try
            {
                var position = await Inner.AppendAsync(batch, cancellationToken);
                End();
                return position;
            }
            catch (JournalFullException)
            {
                opening.Unknown = [];
                throw;
            }
            catch (JournalFencedException exception)
            {
                oracle.Saw("fenced out in an append");
                (opening.Unknown, opening.IsFenced) = (exception.MayBeThere ? opening.Unknown : [], true);
                throw;
            }
        }

        private void Begin(List<LogRecord> records)
        {
            (opening.Unknown, opening.InDoubt) = (records, records);
            foreach (var record in records)
            {
                oracle.Note(record);
                if (record.Register is { } register)
                {
                    shadow.Registers.Add(register);
                }
            }
        }

        private void End()
        {
            var records = opening.Unknown;
            if (shadow.Newest == opening)
            {
                shadow.Add(records);
            }
            else if (!shadow.Holds(records, opening.Known))
            {
                oracle.ViolatedBy(
                    Inner.Identity.Replica,
                    $"An append was acknowledged after the log had been taken over: {records.Count} records of epoch "
                    + $"{opening.Epoch}, epoch {shadow.Newest?.Epoch} never saw them");
            }
            else
            {
                oracle.Saw("an append that landed before the next fence was acknowledged after it");
            }

            opening.Known += records.Count;
            (opening.Unknown, opening.InDoubt) = ([], []);
        }
    }
}
