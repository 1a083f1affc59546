using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Consensus.Transport;
using Orleans.Runtime;
using Orleans.TestingHost;

namespace Orleans.Consensus.ClusterTests.Transport;

public sealed class OrleansTransportTests : IClassFixture<EchoCluster>, IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(5);

    private readonly EchoCluster _cluster;

    public OrleansTransportTests(EchoCluster cluster)
    {
        _cluster = cluster;
        cluster.AddTargets();
    }

    private InProcessSiloHandle First => _cluster.First;

    private InProcessSiloHandle Second => _cluster.Second;

    private EchoTarget FirstTarget => _cluster.TargetOf(First);

    private EchoTarget SecondTarget => _cluster.TargetOf(Second);

    private ITransport Transport => _cluster.Transport;

    public void Dispose() => _cluster.RemoveTargets();

    [Fact]
    public async Task A_batch_reaches_the_other_silo_and_the_answer_comes_back()
    {
        var reply = await Transport.SendAsync(Second.SiloAddress, Batches.Accept([1, 2, 3]), Token(Soon));

        Assert.Equal([1, 2, 3], Batches.PayloadOf(reply));
        Assert.Single(SecondTarget.Batches);
        Assert.Empty(FirstTarget.Batches);
    }

    [Fact]
    public async Task A_batch_of_several_megabytes_fits()
    {
        var payload = new byte[8 * 1024 * 1024];
        new Random(1).NextBytes(payload);

        var reply = await Transport.SendAsync(Second.SiloAddress, Batches.Accept(payload), Token(Soon));

        Assert.Equal(payload, Batches.PayloadOf(reply));
    }

    [Fact]
    public async Task A_silo_that_looks_at_a_long_batch_describes_its_stores_meanwhile()
    {
        using var looked = new ManualResetEvent(initialState: false);
        SecondTarget.Holds = looked;
        var sent = Transport.SendAsync(Second.SiloAddress, Batches.Accept(new byte[1024 * 1024]), Token(Soon));
        await SecondTarget.Arrived.WaitAsync(Soon);

        var described = Transport.DescribeAsync(Second.SiloAddress, EchoTarget.Store, Token(Soon));
        await Task.WhenAny(described, sent);
        looked.Set();

        Assert.NotNull(await described);
        Assert.Single((await sent).Replies);
    }

    [Fact]
    public async Task A_batch_for_the_own_silo_is_handed_over_as_it_is()
    {
        var batch = Batches.Accept([1, 2, 3]);

        await Transport.SendAsync(First.SiloAddress, batch, Token(Soon));

        Assert.Same(batch, Assert.Single(FirstTarget.Batches));
    }

    [Fact]
    public async Task Silos_describe_their_stores()
    {
        foreach (var silo in _cluster.Silos)
        {
            var known = await Transport.DescribeAsync(silo.SiloAddress, EchoTarget.Store, Token(Soon));
            var unknown = await Transport.DescribeAsync(silo.SiloAddress, "other", Token(Soon));

            Assert.Equal("shape", known!.Shape);
            Assert.Null(unknown);
        }
    }

    [Fact]
    public async Task A_store_that_is_not_there_refuses()
    {
        foreach (var silo in _cluster.Silos)
        {
            var reply = await Transport.SendAsync(silo.SiloAddress, Batches.Accept([1], "other"), Token(Soon));

            Assert.Contains("'other'", reply.Refusal, StringComparison.Ordinal);
        }

        Assert.Empty(FirstTarget.Batches);
        Assert.Empty(SecondTarget.Batches);
    }

    [Fact]
    public async Task The_token_ends_the_waiting_for_a_silent_store()
    {
        FirstTarget.Silent = SecondTarget.Silent = true;
        foreach (var silo in _cluster.Silos)
        {
            using var cancellation = new CancellationTokenSource();
            var sent = Transport.SendAsync(silo.SiloAddress, Batches.Accept([1]), cancellation.Token);
            await _cluster.TargetOf(silo).Arrived.WaitAsync(Soon);
            Assert.False(sent.IsCompleted);

            await cancellation.CancelAsync();

            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sent.WaitAsync(Soon));
        }
    }

    [Fact]
    public async Task A_client_that_makes_up_the_address_is_refused()
    {
        var frame = MessageCodec.Encode(Batches.Accept([1]), nonce: 5, secret: null);
        var question = DescriptionCodec.EncodeQuestion(EchoTarget.Store, nonce: 5, secret: null);
        foreach (var silo in _cluster.Silos)
        {
            var address = First.ServiceProvider.GetRequiredService<ConsensusGrainServiceClient>()
                .Of(silo.SiloAddress)
                .GetGrainId();
            var forged = _cluster.Client.GetGrain<IConsensusGrainService>(address);

            AssertRefused(await forged.ExchangeAsync(frame, CancellationToken.None));
            AssertRefused(await forged.DescribeAsync(question, CancellationToken.None));
        }

        Assert.Empty(FirstTarget.Batches);
        Assert.Empty(SecondTarget.Batches);
    }

    [Fact]
    public async Task A_grain_is_no_silo_but_may_use_the_transport()
    {
        var grain = First.ServiceProvider.GetRequiredService<IGrainFactory>().GetGrain<ICallerGrain>(1);
        var frame = MessageCodec.Encode(Batches.Accept([1]), nonce: 5, secret: null).ToArray();
        foreach (var silo in _cluster.Silos)
        {
            AssertRefused(new(await grain.CallService(silo.SiloAddress, frame)));
            Assert.Empty(_cluster.TargetOf(silo).Batches);

            Assert.Equal("1", await grain.Send(silo.SiloAddress, 1));
            Assert.Single(_cluster.TargetOf(silo).Batches);
        }
    }

    [Fact]
    public async Task Nothing_of_the_callers_context_goes_along()
    {
        using var activity = new Activity("outer").Start();
        RequestContext.Set("tenant", "secret");
        foreach (var silo in _cluster.Silos)
        {
            await Transport.SendAsync(silo.SiloAddress, Batches.Accept([1]), Token(Soon));

            Assert.Empty(_cluster.TargetOf(silo).Ambient);
        }

        Assert.Equal("secret", RequestContext.Get("tenant"));
        Assert.Same(activity, Activity.Current);
        RequestContext.Clear();
    }

    private static void AssertRefused(FrameBytes answer)
    {
        Assert.True(Frame.TryOpen(answer.Whole, secret: null, out var frame, out var error), error);
        Assert.True(DescriptionCodec.TryDecodeRefusal(frame, out var why, out error), error);
        Assert.Contains("Only silos", why, StringComparison.Ordinal);
    }

    private static CancellationToken Token(TimeSpan timeout) => new CancellationTokenSource(timeout).Token;
}
