using System.Text;
using CsCheck;
using Orleans.Consensus.Tests.Fuzzing;
using Orleans.Consensus.Transport;

namespace Orleans.Consensus.Tests.Transport;

/// <summary>Bytes that no silo sent: read as what would be written so, or refused in words, at a fair price.</summary>
[Trait("Kind", "Fuzz")]
public sealed class WireFuzzTests
{
    private const ulong Nonce = 77;

    private static readonly ClusterSecret Secret = new("correct horse");

    private static readonly Gen<string> Name = Gen.String[Gen.Char, 0, 30];

    [Fact]
    public void Whatever_is_written_is_read_and_written_the_same_again()
    {
        Fuzz.Run(Valid(secret: null), bytes => Assert.Null(Problem(bytes, secret: null)), 250);
        Fuzz.Run(Valid(Secret), bytes => Assert.Null(Problem(bytes, Secret)), 250);
    }

    [Fact]
    public void A_changed_message_is_read_as_what_would_be_written_so_or_refused_in_words() =>
        Fuzz.Run(Mutant.Of(Valid(secret: null)), bytes => Assert.NotEqual("", Problem(bytes, secret: null)), 2000);

    [Fact]
    public void A_changed_body_under_a_good_seal_is_read_as_what_would_be_written_so_or_refused_in_words() =>
        Fuzz.Run(
            Mutant.Of(Valid(secret: null)).Select(Seal), bytes => Assert.NotEqual("", Problem(bytes, Secret)), 1000);

    [Fact]
    public void A_sealed_message_that_was_changed_is_never_read() =>
        Fuzz.Run(
            Mutant.WithParents(Valid(Secret)).Where(one => one.Child is not [_, (byte)MessageKind.Refusal, ..]),
            one => Assert.True(
                Problem(one.Child, Secret) is { Length: > 0 }
                || one.Child.AsSpan().SequenceEqual(one.Mother)
                || one.Child.AsSpan().SequenceEqual(one.Father)),
            1000,
            one => Convert.ToHexString(one.Child));

    [Fact]
    public void Any_bytes_are_refused_in_words_or_read_as_what_would_be_written_so()
    {
        Fuzz.Run(Gen.Byte.Array[0, 60], bytes => Assert.NotEqual("", Problem(bytes, secret: null)), 1000);
        Fuzz.Run(
            Gen.Select(Gen.Byte[0, 6], Gen.Byte.Array[0, 200], (kind, body) =>
                (byte[])[Frame.Version, kind, 0, 0, 0, 0, 0, 0, 0, 0, 0, .. body]),
            bytes => Assert.NotEqual("", Problem(bytes, secret: null)),
            2000);
    }

    private static Gen<byte[]> Valid(ClusterSecret? secret) => Gen.OneOf(
        MessageGen.Batch.Select(batch => MessageCodec.Encode(batch, Nonce, secret).ToArray()),
        MessageGen.Reply.Select(reply => MessageCodec.Encode(reply, Nonce, secret).ToArray()),
        MessageGen.Description.Select(one => DescriptionCodec.Encode(one, Nonce, secret).ToArray()),
        Gen.Const(() => DescriptionCodec.Encode(description: null, Nonce, secret).ToArray()),
        Name.Select(store => DescriptionCodec.EncodeQuestion(store, Nonce, secret).ToArray()),
        Name.Select(why => DescriptionCodec.EncodeRefusal(why).ToArray()));

    private static byte[] Seal(byte[] bytes)
    {
        var message = bytes.Length < 3 ? bytes : [.. bytes[..2], 1, .. bytes[3..]];
        var seal = new byte[ClusterSecret.SealLength];
        Secret.Seal(message, seal);
        return [.. message, .. seal];
    }

    /// <summary>Null if it is taken, and then it is what would be written so; else the error, never empty.</summary>
    private static string? Problem(byte[] bytes, ClusterSecret? secret)
    {
        var (frame, message, error) = Fuzz.Bounded(bytes.Length, () => Read(bytes, secret));
        if (error.Length == 0)
        {
            var again = message switch
            {
                RequestBatch batch => MessageCodec.Encode(batch, frame.Nonce, secret),
                BatchReply reply => MessageCodec.Encode(reply, frame.Nonce, secret),
                string store when frame.Kind == MessageKind.DescribeRequest =>
                    DescriptionCodec.EncodeQuestion(store, frame.Nonce, secret),
                string why => DescriptionCodec.EncodeRefusal(why),
                _ => DescriptionCodec.Encode((StoreDescription?)message, frame.Nonce, secret),
            };

            // A refusal is of no request, so its nonce is not looked at.
            var from = frame.Kind == MessageKind.Refusal ? Frame.HeaderLength : 0;
            Assert.Equal(Convert.ToHexString(bytes[from..]), Convert.ToHexString(again.ToArray()[from..]));
            return null;
        }

        Assert.True(Encoding.UTF8.GetByteCount(error) < 1000, error);
        return error;
    }

    private static (Frame Frame, object? Message, string Error) Read(byte[] bytes, ClusterSecret? secret)
    {
        if (!Frame.TryOpen(bytes, secret, out var frame, out var error))
        {
            return (frame, null, error.Length > 0 ? error : throw new InvalidOperationException("No words."));
        }

        object? message;
        bool read;
        switch (frame.Kind)
        {
            case MessageKind.Request:
                (read, message) = (MessageCodec.TryDecode(frame, out RequestBatch? batch, out error), batch);
                break;
            case MessageKind.Reply:
                (read, message) = (MessageCodec.TryDecode(frame, out BatchReply? reply, out error), reply);
                break;
            case MessageKind.DescribeRequest:
                (read, message) = (DescriptionCodec.TryDecodeQuestion(frame, out var store, out error), store);
                break;
            case MessageKind.DescribeReply:
                (read, message) = (DescriptionCodec.TryDecode(frame, out var description, out error), description);
                break;
            default:
                (read, message) = (DescriptionCodec.TryDecodeRefusal(frame, out var why, out error), why);
                break;
        }

        return read != error.Length > 0
            ? (frame, message, error)
            : throw new InvalidOperationException($"Read: {read}, with the words '{error}'.");
    }
}
