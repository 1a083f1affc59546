using CsCheck;
using Microsoft.Extensions.Time.Testing;
using Orleans.Consensus.Engines;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Tests.Engines;
using Orleans.Consensus.Tests.Fuzzing;

namespace Orleans.Consensus.Tests.Journaling;

/// <summary>
/// What no hash can keep out: bytes that never made sense under hashes that are right. An opening still ends soon, in
/// little memory, and with one of the named exceptions or with what a second opening shows as well.
/// </summary>
[Trait("Kind", "Fuzz")]
public sealed class JournalFuzzTests
{
    private const string Directory = "/logs/a";

    private static readonly Gen<long> Number = Gen.OneOf(
        Gen.OneOf(0L, 1, -1, 512, int.MinValue, long.MaxValue, long.MinValue), Gen.Long[-5, 5000], Gen.Long);

    private static readonly Gen<string> Text = Gen.String[Gen.Char.AlphaNumeric, 0, 30];

    private static readonly Gen<SegmentHeader> Header = Gen.Select(
        Gen.Select(Text, Text, Text, Text, Gen.Int[1, 64], Gen.Long),
        Gen.Select(Gen.Int[1, 9], Gen.ULong, Gen.ULong, Gen.Long, Gen.Long, Gen.Long),
        (names, numbers) => new SegmentHeader(
            new(names.Item1, names.Item2, new(names.Item3), names.Item4, names.Item5, names.Item6, new(7)),
            numbers.Item1, numbers.Item2, numbers.Item3, numbers.Item4, numbers.Item5, numbers.Item6));

    private static readonly Gen<ForgedLog> Logs = Gen.Select(
        RecordGen.Row, Gen.Int[0, 4], Gen.Bool, Gen.Int[0, 3], ForgedLog.Of);

    [Fact]
    public void A_segment_header_comes_back_as_it_was() => Fuzz.Run(
        Header, header => Assert.Equal(header, SegmentHeader.Decode(header.Encode().Bytes, "it").Header), 100,
        header => $"{header}");

    [Fact]
    public void A_changed_segment_header_under_a_good_hash_is_refused_or_is_what_would_be_written_so() => Fuzz.Run(
        Mutant.Of(Header.Select(header => header.Encode().Bytes.AsSpan(..^16).TrimEnd((byte)0).ToArray()))
            .Select(ForgedLog.WithHash),
        bytes =>
        {
            var exception = Fuzz.Bounded(bytes.Length, () => Record.Exception(() => SegmentHeader.Decode(bytes, "it")));
            if (exception is null)
            {
                Assert.Equal(bytes, SegmentHeader.Decode(bytes, "it").Header.Encode().Bytes);
            }
            else
            {
                Assert.True(exception is JournalCorruptException or JournalFormatException, $"{exception}");
                Assert.StartsWith("it", exception.Message, StringComparison.Ordinal);
            }
        },
        500);

    [Fact]
    public void A_changed_fence_roll_or_torn_record_is_refused_or_is_what_would_be_written_so()
    {
        Fuzz.Run(
            MutantOrAny(Gen.Select(Gen.Long, Gen.Long, Text, Text, (epoch, time, cluster, silo) =>
                ForgedLog.Body(new FenceRecord(epoch, time, new(cluster, silo)).AddTo)[2..])),
            bytes =>
            {
                var fence = Fuzz.Bounded(bytes.Length, () => FenceRecord.TryRead(bytes));
                Assert.True(fence is null || ForgedLog.Body(fence.AddTo).AsSpan().EndsWith(bytes));
            },
            500);
        Fuzz.Run(
            MutantOrAny(Gen.Select(Gen.Int, Gen.ULong, Gen.ULong, (number, id, hash) =>
                ForgedLog.Body(new RollRecord(number, id, hash).AddTo)[2..])),
            bytes =>
            {
                var roll = Fuzz.Bounded(bytes.Length, () => RollRecord.TryRead(bytes));
                Assert.True(roll is null || ForgedLog.Body(roll.AddTo).AsSpan().EndsWith(bytes));
            },
            500);
        Fuzz.Run(
            MutantOrAny(Gen.Long.Select(at => ForgedLog.Body(new TornRecord(at).AddTo)[2..])),
            bytes =>
            {
                var torn = Fuzz.Bounded(bytes.Length, () => TornRecord.TryRead(bytes));
                Assert.True(torn is null || ForgedLog.Body(torn.AddTo).AsSpan().EndsWith(bytes));
            },
            500);
    }

    [Fact]
    public void A_forged_log_without_a_change_is_opened() =>
        Fuzz.Run(Logs, log => Assert.Null(Open(log.Segments())), 30, log => $"{log}");

    [Fact]
    public void A_changed_body_under_good_hashes_is_replayed_or_refused_in_words() => Fuzz.Run(
        Gen.Select(Logs, Gen.Int[0, 3], (log, index) => (log, index: index % log.Bodies.Length))
            .SelectMany(
                one => Mutant.Of(Gen.OneOf(Gen.Const(one.log.Bodies[one.index]), Gen.Const(one.log.Bodies[0]))),
                (one, changed) => one.log.With(one.index, changed)),
        log => Assert.NotEqual("", Open(log.Segments())),
        300,
        log => $"{log}");

    [Fact]
    public void A_changed_batch_header_under_good_hashes_is_taken_or_refused_in_words() => Fuzz.Run(
        Gen.Select(
            Logs, Gen.Int[1, 4], Gen.Int[0, 8], Number,
            (log, batch, field, value) => log with { Batch = batch, Field = field, Value = value }),
        log => Assert.NotEqual("", Open(log.Segments())),
        300,
        log => $"{log}");

    [Fact]
    public void A_changed_segment_is_read_as_far_as_it_is_whole_or_refused_in_words() => Fuzz.Run(
        Logs.SelectMany(
            log => Gen.Select(
                Mutant.Of(Gen.OneOf([.. log.Segments().Select(Gen.Const)])), Gen.Int[0, log.Segments().Count - 1]),
            (log, changed) => log.Segments().Select(
                (segment, index) => index == changed.Item2 ? changed.Item1 : segment).ToArray()),
        segments => Assert.NotEqual("", Open(segments)),
        200,
        segments => string.Join(' ', segments.Select(Convert.ToHexString)));

    [Fact]
    public void A_fence_that_no_later_one_can_be_above_is_refused()
    {
        var body = ForgedLog.Body(new FenceRecord(long.MaxValue, 5, TestLog.DefaultOwner).AddTo);

        Assert.Contains("malformed", Open(new ForgedLog([body]).Segments()), StringComparison.Ordinal);
    }

    /// <summary>Null if it can be opened, and then again; else the words of the exception.</summary>
    private static string? Open(IReadOnlyList<byte[]> segments)
    {
        var files = new FaultyFiles(new Random(1));
        for (var i = 0; i < segments.Count; i++)
        {
            files.Put(Directory, $"segment-0000000{i + 1}", segments[i]);
        }

        var exception = Fuzz.Bounded(segments.Sum(one => one.Length), () => Record.Exception(() => Recover(files)));
        if (exception is null)
        {
            var first = TakeOver(files);
            Assert.Equal(first, TakeOver(files));
        }

        Assert.True(
            exception is null or JournalCorruptException or JournalFormatException or JournalIdentityException,
            $"{exception}");
        return exception?.Message;
    }

    private static Gen<byte[]> MutantOrAny(Gen<byte[]> valid) =>
        Gen.OneOf(Mutant.Of(valid), Mutant.Of(valid), Gen.Byte.Array[0, 80]);

    private static void Recover(FaultyFiles files)
    {
        var store = Now(FileSegmentStore.OpenAsync(files, Directory, "it", CancellationToken.None));
        var index = new AcceptorIndex(RecordGen.Groups);
        try
        {
            Now(new JournalRecovery(store, TestLog.DefaultIdentity, from: null, index.Replay)
                .RunAsync(CancellationToken.None));
        }
        finally
        {
            Assert.True(store.DisposeAsync().AsTask().IsCompletedSuccessfully);
        }
    }

    private static List<TestRecord> TakeOver(FaultyFiles files)
    {
        var records = new List<TestRecord>();
        var store = Now(FileSegmentStore.OpenAsync(files, Directory, "it", CancellationToken.None));
        var opening = new JournalOpening(
            TestLog.DefaultIdentity, TestLog.DefaultOwner, From: null,
            (kind, position, record) => records.Add(new(kind, position, record.ToArray())));
        var factory = new SegmentFactory(store, new FakeTimeProvider(), () => 0x33);
        var journal = Now(
            Journal.OpenAsync(store, factory, TestLog.SmallSegments, opening, CancellationToken.None));
        Assert.True(journal.DisposeAsync().AsTask().IsCompletedSuccessfully);
        return records;
    }

    /// <summary>The result of a call that has nothing to wait for: the files are in memory.</summary>
    private static T Now<T>(ValueTask<T> call)
    {
        var task = call.AsTask();
        Assert.True(task.IsCompleted);
        return task.GetAwaiter().GetResult();
    }
}
