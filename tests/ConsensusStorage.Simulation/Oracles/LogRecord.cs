using System.IO.Hashing;
using Orleans.Consensus.Codec;
using Orleans.Consensus.Engines;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Paxos;

namespace Orleans.Consensus.Simulation.Oracles;

/// <summary>A record of a log as oracles know it.</summary>
/// <param name="Hash">Of all of it.</param>
/// <param name="Register">What it is about, if it is a promise or an acceptance.</param>
/// <param name="Ballot">What was promised or accepted.</param>
/// <param name="Version">What was accepted; null for a promise.</param>
internal readonly record struct LogRecord(ulong Hash, RegisterId? Register, Ballot Ballot, RegisterVersion? Version)
{
    public static LogRecord Of(byte kind, ReadOnlySpan<byte> record)
    {
        var hash = XxHash3.HashToUInt64(record, kind);
        var reader = new ByteReader(record);
        if (kind is not (AcceptorRecords.AcceptKind or AcceptorRecords.PromiseKind)
            || !AcceptorRecords.TryReadPromise(ref reader, out _, out var register, out var promised))
        {
            return new(hash, null, default, null);
        }

        return kind == AcceptorRecords.AcceptKind
            && AcceptorRecords.TryReadAccepted(ref reader, default, out var accepted, out var value)
                ? new(hash, register, accepted, value!.Version)
                : new(hash, register, promised, null);
    }

    public static List<LogRecord> In(JournalBatch batch)
    {
        var records = new List<LogRecord>(batch.Count);
        var reader = new ByteReader(batch.Body.Span);
        while (reader.TryReadByte(out var kind) && reader.TryReadBlob(out var record))
        {
            records.Add(Of(kind, record));
        }

        return records;
    }
}
