using Orleans.Consensus.Transport;
using Orleans.Runtime;

namespace Orleans.Consensus.ClusterTests.Transport;

/// <summary>Calls from inside a grain, as no part of the library does.</summary>
internal interface ICallerGrain : IGrainWithIntegerKey
{
    /// <summary>By the transport; returns the refusal or the number of replies.</summary>
    Task<string> Send(SiloAddress silo, byte payload);

    /// <summary>Around the transport; returns what came back.</summary>
    Task<byte[]> CallService(SiloAddress silo, byte[] frame);
}

internal sealed class CallerGrain(ITransport transport, ConsensusGrainServiceClient services) : Grain, ICallerGrain
{
    public async Task<string> Send(SiloAddress silo, byte payload)
    {
        var scheduler = TaskScheduler.Current;
        var reply = await transport.SendAsync(silo, Batches.Accept([payload]), CancellationToken.None);
        Assert.Same(scheduler, TaskScheduler.Current);
        return reply.Refusal ?? $"{reply.Replies.Length}";
    }

    public async Task<byte[]> CallService(SiloAddress silo, byte[] frame) =>
        (await services.Of(silo).ExchangeAsync(new(frame), CancellationToken.None)).ToArray();
}
