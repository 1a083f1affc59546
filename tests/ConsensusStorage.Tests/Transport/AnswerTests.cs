using System.Net;
using Orleans.Consensus.Transport;
using Orleans.Runtime;

namespace Orleans.Consensus.Tests.Transport;

public sealed class AnswerTests
{
    private static readonly SiloAddress Silo = SiloAddress.New(IPAddress.Loopback, 11111, 5);
    private static readonly ClusterSecret Secret = new("secret");

    [Fact]
    public void An_answer_to_this_request_is_taken()
    {
        var answer = MessageCodec.Encode(BatchReply.Refused("no"), nonce: 7, Secret);

        Assert.Equal(MessageKind.Reply, OrleansTransport.Open(Silo, answer.Whole, nonce: 7, Secret).Kind);
    }

    [Fact]
    public void An_answer_to_another_request_is_none()
    {
        var answer = MessageCodec.Encode(BatchReply.Refused("no"), nonce: 7, Secret);

        Assert.Contains("another request", ErrorOf(answer, nonce: 8, Secret), StringComparison.Ordinal);
    }

    [Fact]
    public void A_refusal_is_no_answer_but_tells_why()
    {
        var answer = DescriptionCodec.EncodeRefusal("the reason");

        Assert.Contains("the reason", ErrorOf(answer, nonce: 7, Secret), StringComparison.Ordinal);
    }

    [Fact]
    public void An_answer_without_the_secret_is_none()
    {
        var answer = MessageCodec.Encode(BatchReply.Refused("no"), nonce: 7, secret: null);

        Assert.Contains("not sealed", ErrorOf(answer, nonce: 7, Secret), StringComparison.Ordinal);
    }

    private static string ErrorOf(FrameBytes answer, ulong nonce, ClusterSecret? secret) =>
        Assert.Throws<TransportException>(() => OrleansTransport.Open(Silo, answer.Whole, nonce, secret)).Message;
}
