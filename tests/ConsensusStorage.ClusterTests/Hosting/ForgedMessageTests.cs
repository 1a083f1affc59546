using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Consensus.ClusterTests.Support;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Transport;
using Orleans.Runtime;
using Request = Orleans.Consensus.Paxos.Request;

namespace Orleans.Consensus.ClusterTests.Hosting;

/// <summary>A client that knows every id sends a replica of the real store what only silos may send.</summary>
[Collection(nameof(SharedCluster))]
public sealed class ForgedMessageTests(SharedCluster shared)
{
    private static readonly ProposerId Forger = new(666);

    private readonly TestedCluster _cluster = shared.Cluster;
    private ulong _sent;

    [Fact]
    public async Task A_forged_accept_changes_nothing()
    {
        var client = new StorageClient(_cluster, 0, StorageClient.NewId());
        await client.WriteAsync(1);
        var register = RegisterId.FromKey([1, 2, 3]);
        for (var silo = 0; silo < 3; silo++)
        {
            var batch = ForgedAccept(silo, register, seconds: 0);
            var address = _cluster.Services(0).GetRequiredService<ConsensusGrainServiceClient>()
                .Of(_cluster.Address(silo))
                .GetGrainId();
            var frame = MessageCodec.Encode(batch, nonce: 7, secret: null);

            var answer = await _cluster.Client.GetGrain<IConsensusGrainService>(address)
                .ExchangeAsync(frame, CancellationToken.None);

            Assert.True(Frame.TryOpen(answer.Whole, secret: null, out var opened, out var error), error);
            Assert.True(DescriptionCodec.TryDecodeRefusal(opened, out var why, out error), error);
            Assert.Contains("Only silos", why, StringComparison.Ordinal);
            Assert.True((await AcceptedAtAsync(silo, register, seconds: 1)).IsNone);
        }

        // The same batch from a silo is taken: it was the sender that was refused.
        var sent = await _cluster.Services(1).GetRequiredService<ITransport>()
            .SendAsync(_cluster.Address(0), ForgedAccept(0, register, seconds: 2), CancellationToken.None);
        Assert.IsType<Accepted>(Assert.Single(sent.Replies));
        Assert.False((await AcceptedAtAsync(0, register, seconds: 3)).IsNone);
    }

    /// <summary>A round that beats all before it, by a clock that is some seconds fast.</summary>
    private static long RoundIn(int seconds) =>
        Ballot.RoundAt(DateTimeOffset.UtcNow.AddSeconds(seconds).ToUnixTimeMilliseconds());

    private RequestBatch ForgedAccept(int silo, RegisterId register, int seconds)
    {
        var round = RoundIn(seconds);
        var value = new RegisterValue(new(Forger, 1), new PayloadBytes(new byte[] { 6, 6, 6 }));
        return Batch(silo, register, new Accept(new(round, Forger), value, new(round + 1, Forger)));
    }

    /// <summary>The ballot that a replica has accepted of a register, as a prepare of a silo finds it.</summary>
    private async Task<Ballot> AcceptedAtAsync(int silo, RegisterId register, int seconds)
    {
        var prepare = new Prepare(new(RoundIn(seconds), new(UInt128.MaxValue - 1)), WantPayload: false);
        var reply = await _cluster.Services(silo).GetRequiredService<ITransport>()
            .SendAsync(_cluster.Address(silo), Batch(silo, register, prepare), CancellationToken.None);
        return Assert.IsType<Promise>(Assert.Single(reply.Replies)).Accepted;
    }

    private RequestBatch Batch(int silo, RegisterId register, Request request)
    {
        var store = _cluster.FirstTarget;
        Assert.True(_cluster.Services(silo).GetRequiredService<TransportTargets>().TryGet(store, out var target));
        var replica = target.Describe().Replicas.Single();
        var requests = ImmutableArray.Create(new RegisterRequest(register, request));
        return new(store, replica.Replica, replica.Log!.Value, 1, requests, new(77, ++_sent));
    }
}
