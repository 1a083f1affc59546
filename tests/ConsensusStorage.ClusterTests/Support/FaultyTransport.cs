using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Transport;
using Orleans.Runtime;

namespace Orleans.Consensus.ClusterTests.Support;

/// <summary>What is lost between a silo that is cut off and all others.</summary>
internal enum Cut
{
    /// <summary>Nothing gets through.</summary>
    Requests,

    /// <summary>Requests arrive and are done; their answers are lost.</summary>
    Answers,

    /// <summary>Likewise, but of answers to accepts alone: what is asked for is promised, and then in doubt.</summary>
    AnswersToAccepts,
}

/// <summary>The network of a cluster at the transport seam, with its cuts. Thread-safe.</summary>
internal sealed class Network
{
    private volatile ImmutableDictionary<SiloAddress, Cut> _cuts = ImmutableDictionary<SiloAddress, Cut>.Empty;

    /// <summary>Cuts one silo off from all others; it still reaches itself.</summary>
    public void CutOff(SiloAddress silo, Cut cut = Cut.Requests) => _cuts = _cuts.SetItem(silo, cut);

    public void Heal() => _cuts = ImmutableDictionary<SiloAddress, Cut>.Empty;

    public Cut? Between(SiloAddress from, SiloAddress to) =>
        from.Equals(to) ? null
        : _cuts.TryGetValue(from, out var cut) || _cuts.TryGetValue(to, out cut) ? cut
        : null;

    /// <summary>Puts this network in front of the transport of a silo.</summary>
    public void Attach(IServiceCollection services)
    {
        var real = services.Single(service => service.ServiceType == typeof(ITransport));
        services.Remove(real);
        services.AddSingleton<ITransport>(
            provider => new FaultyTransport((ITransport)real.ImplementationFactory!(provider), this));
    }

    /// <summary>Loses what the cuts say. Like a real network it tells nobody but by the deadline.</summary>
    private sealed class FaultyTransport(ITransport real, Network network) : ITransport
    {
        public SiloAddress Local => real.Local;

        public Task<BatchReply> SendAsync(
            SiloAddress silo, RequestBatch batch, CancellationToken cancellationToken) =>
            ThroughAsync(
                silo,
                () => real.SendAsync(silo, batch, cancellationToken),
                batch.Requests.Any(one => one.Request is Accept),
                cancellationToken);

        public Task<StoreDescription?> DescribeAsync(
            SiloAddress silo, string store, CancellationToken cancellationToken) =>
            ThroughAsync(silo, () => real.DescribeAsync(silo, store, cancellationToken), false, cancellationToken);

        private async Task<T> ThroughAsync<T>(
            SiloAddress silo, Func<Task<T>> call, bool isAccept, CancellationToken cancellationToken)
        {
            if (network.Between(Local, silo) is Cut.Requests)
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }

            var answer = await call();
            if (network.Between(Local, silo) is { } cut && (isAccept || cut != Cut.AnswersToAccepts))
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }

            return answer;
        }
    }
}
