using System.Collections.Immutable;
using System.Net;
using Orleans.Consensus.Transport;
using Orleans.Runtime;

namespace Orleans.Consensus.Simulation.Clusters;

/// <summary>What the network does with one message on its way to a silo.</summary>
internal enum Fate
{
    Deliver,

    /// <summary>The message is lost, and its sender is told so.</summary>
    DropRequest,

    /// <summary>It is handled, the answer is lost, and the sender is told so.</summary>
    DropReply,

    /// <summary>Nothing happens for ever: a hung silo, or a message that is lost silently.</summary>
    Hang,

    /// <summary>It is handled, and the answer is lost silently.</summary>
    HangReply,

    /// <summary>It is handled twice; the second answer counts.</summary>
    Twice,
}

/// <summary>Connects the stores of one test by calls, with a fault injector in between. Not thread-safe.</summary>
internal sealed class SimulatedNetwork(TimeProvider time)
{
    private readonly Dictionary<SiloAddress, ITransportTarget> _targets = [];
    private readonly List<SiloAddress> _live = [];
    private readonly HashSet<SiloAddress> _dead = [];
    private TaskCompletionSource _changed = new();

    /// <summary>Decides on each batch from one silo to another. Delivers by default.</summary>
    public Func<SiloAddress, SiloAddress, RequestBatch, Fate> OnSend { get; set; } = (_, _, _) => Fate.Deliver;

    /// <summary>How long a message takes from one silo to another; asked for answers too.</summary>
    public Func<SiloAddress, SiloAddress, TimeSpan> Latency { get; set; } = (_, _) => TimeSpan.Zero;

    /// <summary>Whether nothing gets through from the first silo to the second: one-way partitions.</summary>
    public Func<SiloAddress, SiloAddress, bool> IsCut { get; set; } = (_, _) => false;

    /// <summary>Answers in place of the replica, or null: for negative controls.</summary>
    public Func<SiloAddress, SiloAddress, RequestBatch, BatchReply?> Forge { get; set; } = (_, _, _) => null;

    /// <summary>Silos that answer no question about what they host.</summary>
    public HashSet<SiloAddress> Mute { get; } = [];

    public int Sent { get; private set; }

    public static SiloAddress Address(int silo, int generation = 1) =>
        SiloAddress.New(new IPEndPoint(IPAddress.Loopback, 1000 + silo), generation);

    public ITransport TransportOf(SiloAddress silo) => new Endpoint(this, silo);

    public IMembershipView ViewOf() => new View(this);

    /// <summary>A silo takes part from now on.</summary>
    public void Add(SiloAddress silo, ITransportTarget target)
    {
        _targets[silo] = target;
        _live.Add(silo);
        Changed();
    }

    /// <summary>A silo is gone, and everybody knows.</summary>
    public void Remove(SiloAddress silo)
    {
        Cut(silo);
        _live.Remove(silo);
        Changed();
    }

    /// <summary>A silo is gone, and nobody knows yet. <see cref="Remove"/> it when they notice.</summary>
    public void Cut(SiloAddress silo)
    {
        _targets.Remove(silo);
        _dead.Add(silo);
    }

    /// <summary>Lets everybody look again.</summary>
    public void Changed()
    {
        var changed = _changed;
        _changed = new();
        changed.SetResult();
    }

    private async Task<BatchReply> CarryAsync(SiloAddress from, SiloAddress to, RequestBatch batch, Fate fate)
    {
        await DelayAsync(from, to);
        if (fate == Fate.DropRequest || Target(from, to) is not { } target)
        {
            throw new IOException("lost");
        }

        if (fate == Fate.Twice)
        {
            await target.HandleAsync(batch, CancellationToken.None);
        }

        var reply = Forge(from, to, batch) ?? await target.HandleAsync(batch, CancellationToken.None);
        await DelayAsync(to, from);
        if (fate == Fate.HangReply)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, time);
        }

        return fate == Fate.DropReply || Target(to, from) is null ? throw new IOException("answer lost") : reply;
    }

    private async Task<StoreDescription?> DescribeAsync(SiloAddress from, SiloAddress to)
    {
        await DelayAsync(from, to);
        if (Mute.Contains(to) || Target(from, to) is not { } target)
        {
            throw new IOException("unreachable");
        }

        var description = target.Describe();
        await DelayAsync(to, from);
        return Target(to, from) is null ? throw new IOException("answer lost") : description;
    }

    private ITransportTarget? Target(SiloAddress from, SiloAddress to) =>
        _dead.Contains(from) || (from != to && IsCut(from, to)) ? null : _targets.GetValueOrDefault(to);

    private Task DelayAsync(SiloAddress from, SiloAddress to) =>
        Latency(from, to) is { Ticks: > 0 } latency ? Task.Delay(latency, time) : Task.CompletedTask;

    private sealed class View(SimulatedNetwork network) : IMembershipView
    {
        public ImmutableArray<SiloAddress> LiveSilos => [.. network._live];

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

            // What is on its way arrives, also when its sender has stopped waiting.
            return await network.CarryAsync(local, silo, batch, fate).WaitAsync(cancellationToken);
        }

        public Task<StoreDescription?> DescribeAsync(
            SiloAddress silo, string store, CancellationToken cancellationToken) =>
            network.DescribeAsync(local, silo).WaitAsync(cancellationToken);
    }
}
