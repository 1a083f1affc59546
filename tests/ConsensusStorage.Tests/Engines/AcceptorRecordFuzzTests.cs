using System.IO.Hashing;
using CsCheck;
using Orleans.Consensus.Codec;
using Orleans.Consensus.Engines;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Tests.Fuzzing;

namespace Orleans.Consensus.Tests.Engines;

/// <summary>Records that no acceptor wrote: replay takes what one could have written, and stops at all else.</summary>
[Trait("Kind", "Fuzz")]
public sealed class AcceptorRecordFuzzTests
{
    public static TheoryData<byte> Kinds =>
    [
        AcceptorRecords.PromiseKind, AcceptorRecords.AcceptKind, AcceptorRecords.FloorKind, AcceptorRecords.DropKind,
        AcceptorRecords.PeersKind, AcceptorRecords.FormedKind,
    ];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_record_comes_back_as_it_was(byte kind) =>
        Fuzz.Run(RecordGen.Of(kind), record => Assert.Equal(record, WrittenAgain(kind, record)), 50);

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_changed_record_is_refused_or_is_what_would_be_written_so(byte kind) => Fuzz.Run(
        Mutant.Of(RecordGen.Of(kind)),
        record => Assert.Equal(record, Fuzz.Bounded(record.Length, () => WrittenAgain(kind, record)) ?? record),
        500);

    [Fact]
    public void A_row_of_records_is_replayed() =>
        Fuzz.Run(RecordGen.Row, row => Assert.Null(Problem(row)), 100, row => string.Join(' ', row.Select(Show)));

    [Fact]
    public void A_row_with_a_changed_record_is_replayed_or_refused_in_words() => Fuzz.Run(
        Gen.Select(RecordGen.Row, Gen.Byte[14, 24], Gen.Int[0, 9], (row, kind, at) => (row, kind, at: at % row.Length))
            .SelectMany(
                one => Mutant.Of(Gen.Const(one.row[one.at].Bytes)),
                (one, changed) => one.row.Index().Select(record => record.Index != one.at
                    ? record.Item
                    : (one.kind is 14 or 24 ? one.kind : record.Item.Kind, changed)).ToArray()),
        row => Assert.NotEqual("", Problem(row)),
        2000,
        row => string.Join(' ', row.Select(Show)));

    [Fact]
    public void Any_bytes_are_replayed_or_refused_in_words() => Fuzz.Run(
        Gen.Select(Gen.Byte, Gen.Byte.Array[0, 80]),
        record => Assert.NotEqual("", Problem([record])),
        1000,
        Show);

    /// <summary>Null if all is taken, else the words of the exception.</summary>
    private static string? Problem((byte Kind, byte[] Bytes)[] row)
    {
        var index = new AcceptorIndex(RecordGen.Groups);
        return Fuzz.Bounded(row.Sum(record => record.Bytes.Length), () =>
        {
            try
            {
                foreach (var (kind, bytes) in row)
                {
                    index.Replay(kind, new(1, 4096), bytes);
                }

                return null;
            }
            catch (JournalCorruptException exception)
            {
                return exception.Message;
            }
        });
    }

    /// <summary>The record decoded and encoded; null if it is none.</summary>
    private static byte[]? WrittenAgain(byte kind, byte[] bytes)
    {
        var reader = new ByteReader(bytes);
        var writer = new ByteWriter(bytes.Length);
        switch (kind)
        {
            case AcceptorRecords.FormedKind:
                return bytes.Length == 0 ? [] : null;
            case AcceptorRecords.PromiseKind or AcceptorRecords.DropKind:
                if (!AcceptorRecords.TryReadPromise(ref reader, out var group, out var register, out var promised)
                    || reader.Remaining != 0)
                {
                    return null;
                }

                AcceptorRecords.WritePromise(writer, group, register, promised);
                break;
            case AcceptorRecords.AcceptKind:
                if (!AcceptorRecords.TryReadPromise(ref reader, out group, out register, out promised)
                    || !AcceptorRecords.TryReadAccepted(ref reader, default, out var accepted, out var value))
                {
                    return null;
                }

                if (value!.Payload is StoredPayload stored)
                {
                    var payload = bytes[(int)stored.Position.Offset..];
                    if (stored.Length != payload.Length || stored.Checksum != XxHash3.HashToUInt64(payload))
                    {
                        return null; // whoever loads it sees that
                    }

                    value = value with { Payload = StoredPayload.Pending(new(payload)) };
                }

                AcceptorRecords.WriteAccept(writer, group, register, new(promised, accepted, value));
                break;
            case AcceptorRecords.FloorKind:
                if (!AcceptorRecords.TryReadFloor(ref reader, out group, out var floor))
                {
                    return null;
                }

                AcceptorRecords.WriteFloor(writer, group, floor);
                break;
            default:
                if (!AcceptorRecords.TryReadPeers(ref reader, out var logs))
                {
                    return null;
                }

                AcceptorRecords.WritePeers(writer, logs);
                break;
        }

        return writer.WrittenSpan.ToArray();
    }

    private static string Show((byte Kind, byte[] Bytes) record) =>
        $"{record.Kind}:{Convert.ToHexString(record.Bytes)}";
}
