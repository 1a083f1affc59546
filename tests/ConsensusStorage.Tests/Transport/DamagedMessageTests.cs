using System.Text;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Transport;

namespace Orleans.Consensus.Tests.Transport;

public sealed class DamagedMessageTests
{
    private static readonly Ballot Ballot = new(5, new(6));
    private static readonly RegisterValue Value = new(new(new(7), 8), new PayloadBytes("pay"u8.ToArray()));

    private static readonly byte[][] Messages =
    [
        MessageCodec.Encode(
            new RequestBatch("store", new("a"), new(1), 1,
            [
                new(RegisterId.FromKey([1, 65]), new Prepare(Ballot, WantPayload: true)),
                new(RegisterId.FromKey([1, 66]), new Accept(Ballot, Value, Ballot)),
            ],
            new(2, 3)),
            nonce: 9, secret: null).ToArray(),
        MessageCodec.Encode(
            new BatchReply(null,
            [
                new Promise(Ballot, Ballot, Value), new Accepted(Ballot), new Conflict(Phase.Accept, Ballot, Ballot),
                new TooFarAhead(Phase.Prepare, Ballot, 1), new NoAnswer(Phase.Prepare, Ballot, "why"),
            ]),
            nonce: 9, secret: null).ToArray(),
        DescriptionCodec.EncodeQuestion("store", nonce: 9, secret: null).ToArray(),
        DescriptionCodec.Encode(
            new StoreDescription("shape",
                [new(new("a"), new LogId(1), ReplicaState.Serving, [new(1)], [Ballot], 1, "problem")]),
            nonce: 9, secret: null).ToArray(),
        DescriptionCodec.EncodeRefusal("why").ToArray(),
    ];

    public static TheoryData<int> All => [.. Enumerable.Range(0, Messages.Length)];

    [Theory]
    [MemberData(nameof(All))]
    public void A_message_that_was_cut_off_anywhere_is_refused(int index)
    {
        Assert.Null(Problem(Messages[index]));
        for (var length = 0; length < Messages[index].Length; length++)
        {
            Assert.NotEmpty(Problem(Messages[index][..length])!);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void A_message_with_more_behind_it_is_refused(int index)
    {
        Assert.NotEmpty(Problem([.. Messages[index], 0])!);
        Assert.NotEmpty(Problem([.. Messages[index], .. Messages[index]])!);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void A_message_of_another_version_is_refused_and_both_versions_are_named(int index)
    {
        byte[] newer = [7, .. Messages[index][1..]];
        byte[] older = [1, .. Messages[index][1..]];
        byte[] none = [0, .. Messages[index][1..]];

        Assert.Contains("version 7; this silo speaks version 2", Problem(newer), StringComparison.Ordinal);
        Assert.Contains("version 1; this silo speaks version 2", Problem(older), StringComparison.Ordinal);
        Assert.Contains("version 0", Problem(none), StringComparison.Ordinal);
    }

    [Fact]
    public void A_message_is_not_taken_for_one_of_another_kind()
    {
        for (byte kind = 0; kind < 8; kind++)
        {
            foreach (var message in Messages.Where(message => message[1] != kind && message.Length > 40))
            {
                Assert.NotEmpty(Problem([message[0], kind, .. message[2..]])!);
            }
        }
    }

    [Fact]
    public void A_flipped_bit_is_refused_or_makes_another_message_but_never_throws()
    {
        foreach (var message in Messages)
        {
            for (var bit = 0; bit < message.Length * 8; bit++)
            {
                var copy = (byte[])message.Clone();
                copy[bit / 8] ^= (byte)(1 << (bit % 8));
                Assert.NotEqual("", Problem(copy));
            }
        }
    }

    [Fact]
    public void No_count_or_length_is_believed_before_the_bytes_are_there()
    {
        byte[] most = [0xFF, 0xFF, 0xFF, 0xFF, 0x0F];
        var before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var message in Messages)
        {
            for (var at = Frame.HeaderLength; at < message.Length; at++)
            {
                Problem([.. message[..at], .. most, .. message[at..]]);
            }
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 * 1024 * 1024);
    }

    [Fact]
    public void Values_that_nobody_writes_are_refused()
    {
        var request = Messages[0];
        var prepare = request.AsSpan().IndexOf("\u0001A\u0001"u8) + 2;
        Assert.NotEmpty(Problem(With(request, prepare, 3))!);
        Assert.NotEmpty(Problem(With(request, prepare + 8, 0x80))!);
        Assert.NotEmpty(Problem(With(request, prepare + 25, 2))!);

        var reply = Messages[1];
        var conflict = reply.AsSpan().IndexOf([(byte)3, (byte)Phase.Accept, (byte)5]);
        Assert.NotEmpty(Problem(With(reply, conflict + 1, 3))!);
        Assert.NotEmpty(Problem(With(reply, conflict, 7))!);

        var description = Messages[3];
        var state = description.AsSpan().IndexOf(Encoding.ASCII.GetBytes("a\u0001")) + 18;
        Assert.Equal((byte)ReplicaState.Serving, description[state]);
        Assert.NotEmpty(Problem(With(description, state, 0))!);
        Assert.NotEmpty(Problem(With(description, state, 7))!);
    }

    [Fact]
    public void An_accept_without_its_payload_is_refused()
    {
        var batch = new RequestBatch("s", new("a"), new(1), 1,
            [new(RegisterId.FromKey([1, 65]), new Accept(Ballot, Value with { Payload = null }, Ballot))],
            new(2, 3));
        var bytes = MessageCodec.Encode(batch, nonce: 1, secret: null).ToArray();
        Assert.Null(Problem(bytes));

        bytes[^1] = 2;

        Assert.NotEmpty(Problem(bytes)!);
    }

    private static byte[] With(byte[] message, int at, byte value)
    {
        var copy = (byte[])message.Clone();
        copy[at] = value;
        return copy;
    }

    /// <summary>Null if it is taken, else the error, which must not be empty.</summary>
    private static string? Problem(byte[] bytes)
    {
        if (!Frame.TryOpen(bytes, secret: null, out var frame, out var error))
        {
            return error;
        }

        var read = frame.Kind switch
        {
            MessageKind.Request => MessageCodec.TryDecode(frame, out RequestBatch? _, out error),
            MessageKind.Reply => MessageCodec.TryDecode(frame, out BatchReply? _, out error),
            MessageKind.DescribeRequest => DescriptionCodec.TryDecodeQuestion(frame, out _, out error),
            MessageKind.DescribeReply => DescriptionCodec.TryDecode(frame, out _, out error),
            _ => DescriptionCodec.TryDecodeRefusal(frame, out _, out error),
        };
        return read ? null : error;
    }
}
