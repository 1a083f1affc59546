using CsCheck;
using Orleans.Consensus.Transport;

namespace Orleans.Consensus.Tests.Transport;

public sealed class SealTests
{
    private static readonly ClusterSecret Secret = new("correct horse");
    private static readonly ClusterSecret Other = new("battery staple");

    private static readonly byte[] Sealed = DescriptionCodec.EncodeQuestion("store", nonce: 77, Secret).ToArray();

    private static readonly byte[] Unsealed =
        DescriptionCodec.EncodeQuestion("store", nonce: 77, secret: null).ToArray();

    [Fact]
    public void Every_message_opens_with_the_secret_it_was_sealed_with()
    {
        MessageGen.Batch.Sample(batch => Opens(MessageCodec.Encode(batch, 1, Secret), MessageKind.Request), iter: 50);
        MessageGen.Reply.Sample(reply => Opens(MessageCodec.Encode(reply, 1, Secret), MessageKind.Reply), iter: 50);
        Opens(DescriptionCodec.Encode(description: null, 1, Secret), MessageKind.DescribeReply);
        Opens(new(Sealed), MessageKind.DescribeRequest);
    }

    [Theory]
    [InlineData(true, true, "another ClusterSecret")]
    [InlineData(true, false, "this silo has none")]
    [InlineData(false, true, "is not sealed")]
    public void Another_or_no_secret_is_refused(bool sealedBySender, bool secretHere, string error)
    {
        var opened = Frame.TryOpen(
            sealedBySender ? Sealed : Unsealed, secretHere ? Other : null, out _, out var problem);

        Assert.False(opened);
        Assert.Contains(error, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void No_bit_of_a_sealed_message_can_be_changed()
    {
        for (var bit = 0; bit < Sealed.Length * 8; bit++)
        {
            var copy = (byte[])Sealed.Clone();
            copy[bit / 8] ^= (byte)(1 << (bit % 8));

            Assert.False(Frame.TryOpen(copy, Secret, out _, out var error) && error.Length == 0, $"bit {bit}");
        }
    }

    [Fact]
    public void A_sealed_message_can_not_be_cut_off()
    {
        for (var length = 0; length < Sealed.Length; length++)
        {
            Assert.False(Frame.TryOpen(Sealed.AsMemory(0, length), Secret, out _, out var error));
            Assert.NotEmpty(error);
        }
    }

    [Fact]
    public void A_reply_can_not_be_made_from_a_request_nor_for_another_request()
    {
        byte[] turned = [Sealed[0], (byte)MessageKind.DescribeReply, .. Sealed[2..]];
        byte[] renumbered = [.. Sealed[..3], 78, .. Sealed[4..]];

        Assert.False(Frame.TryOpen(turned, Secret, out _, out _));
        Assert.False(Frame.TryOpen(renumbered, Secret, out _, out _));
    }

    [Fact]
    public void A_refusal_needs_no_seal_because_it_says_nothing()
    {
        var refusal = DescriptionCodec.EncodeRefusal("why").Whole;

        Assert.True(Frame.TryOpen(refusal, Secret, out var frame, out _));
        Assert.Equal(MessageKind.Refusal, frame.Kind);
    }

    [Fact]
    public void An_empty_secret_is_none()
    {
        Assert.Null(ClusterSecret.From(new(null)));
        Assert.Null(ClusterSecret.From(new("")));
        var text = new TransportOptions("correct horse", "battery staple").ToString();
        Assert.DoesNotContain("horse", text, StringComparison.Ordinal);
        Assert.DoesNotContain("staple", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Silos_understand_one_another_at_each_step_while_the_secret_is_replaced()
    {
        ClusterSecret[] steps =
        [
            new("the old secret"),
            new("the old secret", "the new secret"),
            new("the new secret", "the old secret"),
            new("the new secret"),
        ];
        for (var step = 0; step < steps.Length; step++)
        {
            for (var other = 0; other < steps.Length; other++)
            {
                var message = DescriptionCodec.EncodeQuestion("store", nonce: 77, steps[step]).Whole;
                var opens = Frame.TryOpen(message, steps[other], out _, out var error);

                // Silos are never more than one step apart.
                Assert.True(opens || Math.Abs(step - other) > 1, $"From step {step} to {other}: {error}");
            }
        }
    }

    private static void Opens(FrameBytes bytes, MessageKind kind)
    {
        Assert.True(Frame.TryOpen(bytes.Whole, Secret, out var frame, out var error), error);
        Assert.Equal(kind, frame.Kind);
    }
}
