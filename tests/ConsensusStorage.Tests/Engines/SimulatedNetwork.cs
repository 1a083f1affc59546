using System.Collections.Immutable;
using System.Net;
using Orleans.Consensus;
using Orleans.Consensus.Transport;
using Orleans.Runtime;

namespace ConsensusStorage.Tests.Engines;

/// <summary>What the network does with one message on its way to a silo.</summary>
internal enum Fate
{
    Deliver,

    /// <summary>The message is lost.</summary>
    DropRequest,

    /// <summary>It is handled, and the answer is lost.</summary>
    DropReply,

    /// <summary>Nothing happens for ever: a hung silo.</summary>
    Hang,
}

/// <summary>Connects the stores of one test by calls, with a fault injector in between.</summary>
internal sealed class SimulatedNetwork
{
    private readonly Dictionary<SiloAddress, ITransportTarget> _targets = [];
    private TaskCompletionSource _changed = new();

    /// <summary>Decides on each batch from one silo to another. Delivers by default.</summary>
    public Func<SiloAddress, SiloAddress, RequestBatch, Fate> OnSend { get; set; } = (_, _, _) => Fate.Deliver;

    /// <summary>Silos that answer no question about what they host.</summary>
    public HashSet<SiloAddress> Mute { get; } = [];

    public int Sent { get; private set; }

    public static SiloAddress Address(int silo, int generation = 1) =>
        SiloAddress.New(new IPEndPoint(IPAddress.Loopback, 1000 + silo), generation);

    public ITransport TransportOf(SiloAddress silo) => new Endpoint(this, silo);

    public IMembershipView ViewOf() => new View(this);

    public void Add(SiloAddress silo, ITransportTarget target)
    {
        _targets[silo] = target;
        Changed();
    }

    public void Remove(SiloAddress silo)
    {
        _targets.Remove(silo);
        Changed();
    }

    private void Changed()
    {
        var changed = _changed;
        _changed = new();
        changed.SetResult();
    }

    private sealed class View(SimulatedNetwork network) : IMembershipView
    {
        public ImmutableArray<SiloAddress> LiveSilos => [.. network._targets.Keys];

        public Task ChangedAsync(CancellationToken cancellationToken) =>
            network._changed.Task.WaitAsync(cancellationToken);
    }

    private sealed class Endpoint(SimulatedNetwork network, SiloAddress local) : ITransport
    {
        public SiloAddress Local => local;

        public async Task<BatchReply> SendAsync(
            SiloAddress silo, RequestBatch batch, CancellationToken cancellationToken)
        {
            network.Sent++;
            var fate = network.OnSend(local, silo, batch);
            if (fate == Fate.Hang)
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            }

            if (fate == Fate.DropRequest || !network._targets.TryGetValue(silo, out var target))
            {
                throw new IOException("lost");
            }

            var reply = await target.HandleAsync(batch, cancellationToken);
            return fate == Fate.DropReply ? throw new IOException("answer lost") : reply;
        }

        public Task<StoreDescription?> DescribeAsync(
            SiloAddress silo, string store, CancellationToken cancellationToken) =>
            network._targets.TryGetValue(silo, out var target) && !network.Mute.Contains(silo)
                ? Task.FromResult<StoreDescription?>(target.Describe())
                : throw new IOException("unreachable");
    }
}
