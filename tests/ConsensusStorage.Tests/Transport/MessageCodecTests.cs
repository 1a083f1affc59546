using System.Runtime.InteropServices;
using CsCheck;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Transport;

namespace Orleans.Consensus.Tests.Transport;

public sealed class MessageCodecTests
{
    private const ulong Nonce = 0x0807060504030201;

    private static readonly Ballot One = new(0x0102, new(0x0A));
    private static readonly Ballot Two = new(0x0103, new(0x0B));
    private static readonly RegisterVersion Version = new(new(0x0C), 0x0D);

    [Fact]
    public void Batches_come_back_as_they_were() => MessageGen.Batch.Sample(batch =>
    {
        var frame = Open(MessageCodec.Encode(batch, Nonce, secret: null));
        Assert.True(MessageCodec.TryDecode(frame, out RequestBatch? read, out var error), error);
        Assert.Equal(MessageGen.Show(batch), MessageGen.Show(read));
    });

    [Fact]
    public void Replies_come_back_as_they_were() => MessageGen.Reply.Sample(reply =>
    {
        var frame = Open(MessageCodec.Encode(reply, Nonce, secret: null));
        Assert.True(MessageCodec.TryDecode(frame, out BatchReply? read, out var error), error);
        Assert.Equal(MessageGen.Show(reply), MessageGen.Show(read));
    });

    [Fact]
    public void Descriptions_come_back_as_they_were() => MessageGen.Description.Sample(description =>
    {
        var frame = Open(DescriptionCodec.Encode(description, Nonce, secret: null));
        Assert.True(DescriptionCodec.TryDecode(frame, out var read, out var error), error);
        Assert.Equal(MessageGen.Show(description), MessageGen.Show(read));
    });

    [Fact]
    public void Questions_refusals_and_missing_stores_come_back_as_they_were()
    {
        var question = Open(DescriptionCodec.EncodeQuestion("störe", Nonce, secret: null));
        var refusal = Open(DescriptionCodec.EncodeRefusal("because"));
        var missing = Open(DescriptionCodec.Encode(description: null, Nonce, secret: null));

        Assert.True(DescriptionCodec.TryDecodeQuestion(question, out var store, out _));
        Assert.True(DescriptionCodec.TryDecodeRefusal(refusal, out var why, out _));
        Assert.True(DescriptionCodec.TryDecode(missing, out var description, out _));
        Assert.Equal("störe", store);
        Assert.Equal("because", why);
        Assert.Null(description);
    }

    [Fact]
    public void The_bytes_of_a_batch_stay_as_they_are()
    {
        var batch = new RequestBatch("s", new("a"), new(0x11), 3,
        [
            new(RegisterId.FromKey([1, 65]), new Prepare(One, WantPayload: true)),
            new(RegisterId.FromKey([1, 66]), new Accept(One, new(Version, new PayloadBytes(new byte[] { 7, 8 })), Two)),
            new(RegisterId.FromKey([1, 67]), new Accept(One, new(Version, Payload: null), Two)),
        ],
        new(0x21, 0x22));

        Golden(
            "0201000102030405060708" + "0173" + "0161" + "11000000000000000000000000000000" + "0300000000000000"
            + "2100000000000000" + "2200000000000000" + "03"
            + "020141" + "01" + BallotBytes(1) + "01"
            + "020142" + "02" + BallotBytes(1) + BallotBytes(2) + VersionBytes + "01" + "020708"
            + "020143" + "02" + BallotBytes(1) + BallotBytes(2) + VersionBytes + "00",
            MessageCodec.Encode(batch, Nonce, secret: null));
    }

    [Fact]
    public void The_bytes_of_a_reply_stay_as_they_are()
    {
        var reply = new BatchReply(Refusal: null,
        [
            new Promise(One, Ballot.None, Value: null),
            new Promise(One, Two, new(Version, Payload.Omitted)),
            new Promise(One, Two, new(Version, new PayloadBytes(new byte[] { 9 }))),
            new Accepted(One),
            new Conflict(Phase.Accept, One, Two),
            new TooFarAhead(Phase.Prepare, One, 5),
            new NoAnswer(Phase.Prepare, One, "no"),
        ]);

        Golden(
            "0202000102030405060708" + "00" + "07"
            + "01" + BallotBytes(1) + new string('0', 48)
            + "01" + BallotBytes(1) + BallotBytes(2) + VersionBytes + "02"
            + "01" + BallotBytes(1) + BallotBytes(2) + VersionBytes + "01" + "0109"
            + "02" + BallotBytes(1)
            + "0302" + BallotBytes(1) + BallotBytes(2)
            + "0401" + BallotBytes(1) + "0500000000000000"
            + "0501" + BallotBytes(1) + "01026E6F",
            MessageCodec.Encode(reply, Nonce, secret: null));
        Golden(
            "0202000102030405060708" + "00" + "01" + "06" + BallotBytes(1) + BallotBytes(2),
            MessageCodec.Encode(
                new BatchReply(null, [new Promise(One, Ballot.None, null) { Horizon = Two }]), Nonce, secret: null));
        Golden(
            "0202000102030405060708" + "01026E6F" + "00", MessageCodec.Encode(BatchReply.Refused("no"), Nonce, null));
    }

    [Fact]
    public void The_bytes_of_a_description_stay_as_they_are()
    {
        var description = new StoreDescription("shape",
        [
            new(new("a"), new LogId(0x11), ReplicaState.Serving, [new(0x11)], [One, Two], 0x42, Problem: null),
            new(new("b"), Log: null, ReplicaState.Opening, [], [], 0, "no"),
        ]);

        Golden(
            "0204000102030405060708" + "01" + "057368617065" + "02"
            + "0161" + "0111000000000000000000000000000000" + "03" + "0111000000000000000000000000000000"
            + "02" + BallotBytes(1) + BallotBytes(2) + "4200000000000000" + "0000000000000000" + "00"
            + "0162" + "00" + "01" + "00" + "00" + "0000000000000000" + "0000000000000000" + "01026E6F",
            DescriptionCodec.Encode(description, Nonce, secret: null));
    }

    [Fact]
    public void The_bytes_of_a_floating_replica_say_which_opening_it_is_and_whether_it_is_a_guest()
    {
        var replica = new ReplicaDescription(new("a"), Log: null, ReplicaState.Serving, [], [], 0, Problem: null)
        {
            Epoch = 3,
            IsGuest = true,
        };
        var bytes = DescriptionCodec.Encode(new StoreDescription("shape", [replica]), Nonce, secret: null);

        Golden(
            "0204000102030405060708" + "01" + "057368617065" + "01"
            + "0161" + "00" + "03" + "00" + "00" + "0000000000000000" + "0000000000000000" + "00"
            + "0300000000000000" + "01",
            bytes);
        Assert.True(DescriptionCodec.TryDecode(Open(bytes), out var description, out _));
        Assert.Equal((3, true), (description!.Replicas[0].Epoch, description.Replicas[0].IsGuest));
    }

    [Fact]
    public void Payloads_are_slices_of_what_was_received()
    {
        var bytes = MessageCodec.Encode(Batch(new PayloadBytes(new byte[] { 1, 2, 3 })), Nonce, secret: null);
        Assert.True(MessageCodec.TryDecode(Open(bytes), out RequestBatch? read, out _));

        var payload = ((PayloadBytes)((Accept)read.Requests[0].Request).Value.Payload!).Bytes;

        Assert.True(MemoryMarshal.TryGetArray(payload, out var segment));
        Assert.True(MemoryMarshal.TryGetArray(bytes.Whole, out var whole));
        Assert.Same(whole.Array, segment.Array);
    }

    [Fact]
    public void Payloads_that_are_not_in_memory_are_not_sent()
    {
        Assert.Throws<InvalidOperationException>(() => MessageCodec.Encode(Batch(new Foreign()), Nonce, null));
        Assert.Throws<InvalidOperationException>(() => MessageCodec.Encode(Batch(Payload.Omitted), Nonce, null));
    }

    [Fact]
    public void A_promise_has_a_value_exactly_if_it_has_an_accepted_ballot()
    {
        var value = new RegisterValue(Version, Payload: null);

        Assert.Throws<InvalidOperationException>(() => Encode(new Promise(One, Ballot.None, value)));
        Assert.Throws<InvalidOperationException>(() => Encode(new Promise(One, Two, Value: null)));
    }

    [Fact]
    public void A_batch_of_64_MiB_is_sent_and_a_longer_one_is_not()
    {
        var most = Batch(new PayloadBytes(new byte[Frame.MaxBodyLength - 512]));
        var more = Batch(new PayloadBytes(new byte[Frame.MaxBodyLength]));

        var bytes = MessageCodec.Encode(most, Nonce, secret: null);

        Assert.True(MessageCodec.TryDecode(Open(bytes), out RequestBatch? _, out _));
        Assert.Throws<InvalidOperationException>(() => MessageCodec.Encode(more, Nonce, secret: null));
        var tooLong = new byte[Frame.HeaderLength + Frame.MaxBodyLength + 1];
        bytes.Pieces[0].Span[..Frame.HeaderLength].CopyTo(tooLong);
        Assert.False(Frame.TryOpen(tooLong, secret: null, out _, out var error));
        Assert.Contains($"{Frame.MaxBodyLength}", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_of_1024_bytes_and_shapes_of_16_KiB_are_sent_and_longer_ones_are_not()
    {
        var name = new string('ä', MessageCodec.MaxStoreLength / 2);
        var shape = new string('ä', DescriptionCodec.MaxShapeLength / 2);

        var question = Open(DescriptionCodec.EncodeQuestion(name, Nonce, secret: null));
        var answer = Open(DescriptionCodec.Encode(new StoreDescription(shape, []), Nonce, secret: null));

        Assert.True(DescriptionCodec.TryDecodeQuestion(question, out var store, out _));
        Assert.True(DescriptionCodec.TryDecode(answer, out var description, out _));
        Assert.Equal((name, shape), (store, description!.Shape));
        Assert.Throws<InvalidOperationException>(() => DescriptionCodec.EncodeQuestion(name + "a", Nonce, null));
        Assert.Throws<InvalidOperationException>(
            () => DescriptionCodec.Encode(new StoreDescription(shape + "a", []), Nonce, null));
    }

    [Theory]
    [InlineData("a")]
    [InlineData("ä")]
    [InlineData("€")]
    public void An_explanation_of_2048_characters_is_read_and_a_longer_one_is_not(string letter)
    {
        var longest = string.Concat(Enumerable.Repeat(letter, MessageCodec.MaxTextLength));
        var cut = Open(DescriptionCodec.EncodeRefusal(longest + letter));
        var writer = Frame.Begin(MessageKind.Refusal, nonce: 0, secret: null, 8);
        writer.WriteByte(1);
        writer.WriteString(longest + letter);

        Assert.True(DescriptionCodec.TryDecodeRefusal(cut, out var why, out _));
        Assert.Equal(longest, why);
        Assert.False(DescriptionCodec.TryDecodeRefusal(Open(Frame.End(writer, secret: null)), out _, out _));
    }

    [Fact]
    public void A_reply_that_is_too_long_loses_as_many_payloads_as_it_must()
    {
        var payload = new PayloadBytes(new byte[Frame.MaxBodyLength / 5 * 2]);
        Reply promise = new Promise(One, Two, new(Version, payload));

        var fitted = MessageCodec.Fit(new(null, [promise, promise, promise, new Accepted(One)]));

        Assert.Equal([promise, promise], fitted.Replies[..2]);
        Assert.Equal((Phase.Prepare, One), (fitted.Replies[2].Phase, fitted.Replies[2].Ballot));
        Assert.IsType<NoAnswer>(fitted.Replies[2]);
        Assert.IsType<Accepted>(fitted.Replies[3]);
        Assert.True(MessageCodec.TryDecode(Open(MessageCodec.Encode(fitted, Nonce, null)), out BatchReply? _, out _));
    }

    private static string VersionBytes => "0C000000000000000000000000000000" + "0D00000000000000";

    private static string BallotBytes(int number) => number == 1
        ? "0201000000000000" + "0A000000000000000000000000000000"
        : "0301000000000000" + "0B000000000000000000000000000000";

    private static RequestBatch Batch(Payload payload) => new(
        "s",
        new("a"),
        new(1),
        1,
        [new(RegisterId.FromKey([1, 65]), new Accept(One, new(Version, payload), Two))],
        new(1, 1));

    private static FrameBytes Encode(Reply reply) =>
        MessageCodec.Encode(new BatchReply(null, [reply]), Nonce, null);

    private static void Golden(string expected, FrameBytes bytes) =>
        Assert.Equal(expected, Convert.ToHexString(bytes.Whole.Span));

    private static Frame Open(FrameBytes bytes)
    {
        Assert.True(Frame.TryOpen(bytes.Whole, secret: null, out var frame, out var error), error);
        return frame;
    }

    private sealed class Foreign : Payload;
}
