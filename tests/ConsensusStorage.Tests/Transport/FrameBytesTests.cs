using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Transport;
using Orleans.Runtime;
using Orleans.Serialization;
using Orleans.Serialization.Cloning;
using Orleans.Serialization.Invocation;

namespace Orleans.Consensus.Tests.Transport;

public sealed class FrameBytesTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddSerializer().BuildServiceProvider();

    public void Dispose() => _services.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1000)]
    [InlineData(1024 * 1024)]
    public void An_answer_takes_hardly_more_bytes_on_the_wire_than_its_payload(int length)
    {
        var reply = ReplyOf(RandomNumberGenerator.GetBytes(length));
        var response = Response.FromResult(MessageCodec.Encode(reply, nonce: 7, secret: null));

        var wire = _services.GetRequiredService<Serializer<Response>>().SerializeToArray(response);

        Assert.InRange(wire.Length, length, length + 256);
    }

    [Fact]
    public void A_frame_arrives_as_it_was_sent_whatever_pieces_it_is_in()
    {
        var serializer = _services.GetRequiredService<Serializer<Response>>();
        foreach (var length in new[] { 0, 1023, 1024, 100_000 })
        {
            foreach (var secret in new[] { null, new ClusterSecret("correct horse") })
            {
                var payload = RandomNumberGenerator.GetBytes(length);
                var sent = MessageCodec.Encode(ReplyOf(payload, [], payload), nonce: 7, secret);

                var received = serializer
                    .Deserialize(serializer.SerializeToArray(Response.FromResult(sent)))!
                    .GetResult<FrameBytes>()!;

                Assert.Equal(1, received.Pieces.Length);
                Assert.Equal(sent.ToArray(), received.ToArray());
                Assert.True(Frame.TryOpen(received.Whole, secret, out var frame, out var error), error);
                Assert.True(MessageCodec.TryDecode(frame, out BatchReply? reply, out error), error);
                Assert.Equal([payload, [], payload], reply.Replies.Select(PayloadOf));
            }
        }
    }

    [Fact]
    public void A_long_payload_is_not_copied_into_its_frame()
    {
        var payload = new byte[FrameWriter.ShortestPiece];

        var frame = MessageCodec.Encode(ReplyOf(payload), nonce: 7, secret: null);

        Assert.Contains(frame.Pieces.ToArray(), piece => piece.Equals(payload.AsMemory()));
    }

    [Fact]
    public void A_frame_is_not_copied_on_its_way_out_of_a_silo()
    {
        var frame = MessageCodec.Encode(ReplyOf(new byte[5000]), nonce: 7, secret: null);

        var copy = _services.GetRequiredService<DeepCopier<Response>>().Copy(Response.FromResult(frame));

        Assert.Same(frame, copy.GetResult<FrameBytes>());
    }

    /// <summary>Orleans writes these element by element, at two to three bytes for each byte.</summary>
    [Fact]
    public void No_call_between_silos_returns_bytes_that_are_written_one_by_one()
    {
        var methods = typeof(IConsensusGrainService).Assembly.GetTypes()
            .Where(type => type.IsInterface && type.IsAssignableTo(typeof(IAddressable)))
            .SelectMany(type => type.GetMethods())
            .ToList();

        Assert.NotEmpty(methods);
        Assert.DoesNotContain(
            methods,
            method => IsOfSingleBytes(method.ReturnType.GenericTypeArguments.FirstOrDefault())
                && !method.Name.EndsWith("OfFirstVersionAsync", StringComparison.Ordinal));
    }

    private static bool IsOfSingleBytes(Type? type) =>
        type is { IsConstructedGenericType: true } && type.GenericTypeArguments.Contains(typeof(byte));

    private static BatchReply ReplyOf(params byte[][] payloads)
    {
        var ballot = new Ballot(1, new(2));
        return new(null,
        [
            .. payloads.Select(payload => new Promise(ballot, ballot, new(new(new(3), 4), new PayloadBytes(payload)))),
        ]);
    }

    private static byte[] PayloadOf(Reply reply) =>
        ((PayloadBytes)((Promise)reply).Value!.Payload!).Bytes.ToArray();
}
