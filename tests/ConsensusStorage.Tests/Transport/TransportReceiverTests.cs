using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Transport;

namespace Orleans.Consensus.Tests.Transport;

public sealed class TransportReceiverTests
{
    private static readonly ClusterSecret Secret = new("secret");

    private static readonly RequestBatch Batch = new("s", new("a"), new(1), 1,
        [new(RegisterId.FromKey([1, 65]), new Prepare(new(1, new(1)), WantPayload: false))],
        new(2, 3));

    private readonly TransportTargets _targets = new();
    private readonly Target _target = new();

    [Fact]
    public async Task The_answer_echoes_the_nonce_of_the_request()
    {
        _targets.Add("s", _target);

        var answer = await Receiver(Secret).ExchangeAsync(MessageCodec.Encode(Batch, 42, Secret).Whole, default);

        Assert.True(Frame.TryOpen(answer.Whole, Secret, out var frame, out var error), error);
        Assert.Equal(42UL, frame.Nonce);
        Assert.True(MessageCodec.TryDecode(frame, out BatchReply? reply, out _));
        Assert.IsType<Accepted>(Assert.Single(reply.Replies));
    }

    [Fact]
    public async Task A_message_without_the_secret_never_reaches_the_store()
    {
        _targets.Add("s", _target);

        var answer = await Receiver(Secret).ExchangeAsync(MessageCodec.Encode(Batch, 42, secret: null).Whole, default);
        var description = Receiver(Secret).Describe(DescriptionCodec.EncodeQuestion("s", 42, new("wrong")).Whole);

        Assert.Contains("not sealed", Refusal(answer), StringComparison.Ordinal);
        Assert.Contains("seal of the message is wrong", Refusal(description), StringComparison.Ordinal);
        Assert.Equal(0, _target.Calls);
    }

    [Fact]
    public async Task A_store_that_fails_is_not_quoted()
    {
        _target.Failure = new InvalidOperationException("inner detail");
        _targets.Add("s", _target);

        var answer = await Receiver(secret: null).ExchangeAsync(MessageCodec.Encode(Batch, 42, null).Whole, default);

        Assert.DoesNotContain("inner detail", Refusal(answer), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_was_removed_is_not_there()
    {
        _targets.Add("s", _target);
        _targets.Remove("s", new Target());
        Assert.True(_targets.TryGet("s", out _));
        _targets.Remove("s", _target);

        var answer = await Receiver(secret: null).ExchangeAsync(MessageCodec.Encode(Batch, 42, null).Whole, default);

        Assert.True(Frame.TryOpen(answer.Whole, secret: null, out var frame, out _));
        Assert.True(MessageCodec.TryDecode(frame, out BatchReply? reply, out _));
        Assert.Contains("'s'", reply.Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_stores_of_one_name_are_an_error()
    {
        _targets.Add("s", _target);

        Assert.Throws<InvalidOperationException>(() => _targets.Add("s", new Target()));
    }

    private static string Refusal(FrameBytes answer)
    {
        Assert.True(Frame.TryOpen(answer.Whole, secret: null, out var frame, out var error), error);
        Assert.True(DescriptionCodec.TryDecodeRefusal(frame, out var why, out error), error);
        return why;
    }

    private TransportReceiver Receiver(ClusterSecret? secret) =>
        new(_targets, secret, new FakeTimeProvider(), NullLogger.Instance);

    private sealed class Target : ITransportTarget
    {
        public int Calls { get; private set; }

        public Exception? Failure { get; set; }

        public Task<BatchReply> HandleAsync(RequestBatch batch, CancellationToken cancellationToken)
        {
            Calls++;
            return Failure is null
                ? Task.FromResult(new BatchReply(null, [new Accepted(batch.Requests[0].Request.Ballot)]))
                : Task.FromException<BatchReply>(Failure);
        }

        public StoreDescription Describe()
        {
            Calls++;
            return new("shape", []);
        }
    }
}
