using System.Collections.Immutable;
using System.Net;
using Orleans.Consensus.Simulation.Kernel;
using Orleans.Consensus.Transport;
using Orleans.Runtime;

namespace Orleans.Consensus.Simulation.Clusters;

/// <summary>Sees every message where it arrives, and every answer where it leaves.</summary>
internal interface IWireWatch
{
    /// <summary>A batch is about to be handled; what is returned is handed in with its answer.</summary>
    object? Arrived(SiloAddress from, SiloAddress to, RequestBatch batch);

    void Answered(SiloAddress from, SiloAddress to, RequestBatch batch, object? arrival, BatchReply reply);
}

/// <summary>
/// Connects the stores of one simulation by calls, with a fault injector in between. Not thread-safe.
/// </summary>
internal sealed class SimulatedNetwork(SimulatedScheduler kernel)
{
    private readonly Dictionary<SiloAddress, SimulatedSilo> _targets = [];
    private readonly HashSet<SiloAddress> _dead = [];
    private readonly Dictionary<SiloAddress, (ImmutableArray<SiloAddress> Live, long Version)> _frozen = [];
    private ImmutableArray<SiloAddress> _live = [];
    private TaskCompletionSource _changed = new();
    private long _version;

    /// <summary>Decides on each batch from one silo to another. Delivers by default.</summary>
    public Func<SiloAddress, SiloAddress, RequestBatch, DecidedFate> OnSend { get; set; } = (_, _, _) => Fate.Deliver;

    /// <summary>How long a message takes from one silo to another; asked for answers too.</summary>
    public Func<SiloAddress, SiloAddress, TimeSpan> Latency { get; set; } = (_, _) => TimeSpan.Zero;

    /// <summary>Whether nothing gets through from the first silo to the second: one-way partitions.</summary>
    public Func<SiloAddress, SiloAddress, bool> IsCut { get; set; } = (_, _) => false;

    /// <summary>Answers in place of the replica, or null: for negative controls.</summary>
    public Func<SiloAddress, SiloAddress, RequestBatch, BatchReply?> Forge { get; set; } = (_, _, _) => null;

    /// <summary>Which silos the first one takes for live, out of those that are or were.</summary>
    public Func<SiloAddress, ImmutableArray<SiloAddress>, ImmutableArray<SiloAddress>> See { get; set; } =
        (_, live) => live;

    /// <summary>Silos that answer no question about what they host.</summary>
    public HashSet<SiloAddress> Mute { get; } = [];

    /// <summary>Silos that are on their way out, as everybody knows.</summary>
    public HashSet<SiloAddress> Leaving { get; } = [];

    public IWireWatch? Watch { get; set; }

    public int Sent { get; private set; }

    /// <summary>The silos that have not been declared dead.</summary>
    public ImmutableArray<SiloAddress> Live => _live;

    public static SiloAddress Address(int silo, int generation = 1) =>
        SiloAddress.New(new IPEndPoint(IPAddress.Loopback, 1000 + silo), generation);

    public ITransport TransportOf(SiloAddress silo) => new Endpoint(this, silo);

    public IMembershipView ViewOf(SiloAddress silo) => new View(this, silo);

    /// <summary>A silo takes part from now on.</summary>
    public void Add(
        SiloAddress silo, IEnumerable<(string Name, ITransportTarget Target)> targets, SimulatedProcess process)
    {
        _targets[silo] = new(targets.ToDictionary(one => one.Name, one => one.Target), process);
        _live = _live.Add(silo);
        Changed();
    }

    /// <summary>A silo is gone, and everybody knows.</summary>
    public void Remove(SiloAddress silo)
    {
        Cut(silo);
        Forget(silo);
    }

    /// <summary>A silo is declared dead; it may still run.</summary>
    public void Forget(SiloAddress silo)
    {
        if (_live.Contains(silo))
        {
            _live = _live.Remove(silo);
            Changed();
        }
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
        _version++;
        var changed = _changed;
        _changed = new();
        changed.SetResult();
    }

    /// <summary>A silo hears no news of the membership from here on.</summary>
    public void Freeze(SiloAddress silo) => _frozen.TryAdd(silo, (See(silo, _live), _version));

    /// <summary>It has heard them all.</summary>
    public void Thaw(SiloAddress silo)
    {
        if (_frozen.Remove(silo))
        {
            Changed();
        }
    }

    private async Task CarryAsync(
        SiloAddress from,
        SiloAddress to,
        RequestBatch batch,
        DecidedFate decided,
        TaskCompletionSource<BatchReply> answer)
    {
        var (fate, met) = decided;
        await DelayAsync(from, to);
        if (fate == Fate.DropRequest && !IsLost(from, to))
        {
            met?.Invoke();
        }

        if (fate == Fate.DropRequest || await TargetAsync(from, to, batch.Store) is not { } target)
        {
            answer.SetException(new IOException("lost"));
            return;
        }

        if (fate == Fate.Twice)
        {
            await HandleAsync(target, from, to, batch);
            met?.Invoke();
        }
        else if (fate == Fate.Echo)
        {
            _ = EchoAsync(from, to, batch, met);
        }

        var reply = Forge(from, to, batch) ?? await HandleAsync(target, from, to, batch);
        await DelayAsync(to, from);
        if (fate is Fate.DropReply or Fate.HangReply && !IsLost(to, from))
        {
            met?.Invoke();
        }

        if (fate != Fate.HangReply)
        {
            Answer(to, from, reply, fate == Fate.DropReply, answer);
        }
    }

    private async Task EchoAsync(SiloAddress from, SiloAddress to, RequestBatch batch, Action? met)
    {
        var latency = Latency(from, to);
        await kernel.Time.Pass(latency * 50);
        if (await TargetAsync(from, to, batch.Store) is { } target)
        {
            met?.Invoke();
            await HandleAsync(target, from, to, batch);
        }
    }

    private async Task<BatchReply> HandleAsync(
        ITransportTarget target, SiloAddress from, SiloAddress to, RequestBatch batch)
    {
        var arrival = Watch?.Arrived(from, to, batch);
        var reply = await target.HandleAsync(batch, CancellationToken.None);
        Watch?.Answered(from, to, batch, arrival, reply);
        return reply;
    }

    private async Task DescribeAsync(
        SiloAddress from, SiloAddress to, string store, TaskCompletionSource<StoreDescription?> answer)
    {
        await DelayAsync(from, to);
        var target = Mute.Contains(to) ? null : await TargetAsync(from, to, store);
        if (target is null && (Mute.Contains(to) || IsLost(from, to)))
        {
            answer.SetException(new IOException("unreachable"));
            return;
        }

        var description = target?.Describe();
        await DelayAsync(to, from);
        Answer(to, from, description, false, answer);
    }

    private void Answer<T>(SiloAddress from, SiloAddress to, T reply, bool isDropped, TaskCompletionSource<T> answer)
    {
        if (isDropped || IsLost(from, to))
        {
            answer.SetException(new IOException("answer lost"));
        }
        else
        {
            answer.SetResult(reply);
        }
    }

    /// <summary>Who takes a message that has arrived; a paused process takes it when it goes on.</summary>
    private async ValueTask<ITransportTarget?> TargetAsync(SiloAddress from, SiloAddress to, string store)
    {
        while (!IsLost(from, to) && _targets[to].Process.IsPaused)
        {
            await _targets[to].Process.Resumed;
        }

        return IsLost(from, to) ? null : _targets[to].Targets.GetValueOrDefault(store);
    }

    private bool IsLost(SiloAddress from, SiloAddress to) =>
        !_targets.ContainsKey(to) || (from != to && IsCut(from, to));

    private Task DelayAsync(SiloAddress from, SiloAddress to) => kernel.Time.Pass(Latency(from, to));

    /// <summary>
    /// What is on its way arrives, also when its sender has stopped waiting, or has died. Whatever becomes of it is
    /// put into its answer: thousands are lost, and to throw takes long.
    /// </summary>
    private Task<T> OnItsWay<T>(Func<TaskCompletionSource<T>, Task> carry)
    {
        var answer = new TaskCompletionSource<T>();
        Task.Factory.StartNew(
            async () =>
            {
                try
                {
                    await carry(answer);
                }
                catch (Exception exception)
                {
                    answer.TrySetException(exception);
                }
            },
            CancellationToken.None,
            TaskCreationOptions.None,
            kernel);
        return answer.Task;
    }

    /// <summary>What takes messages on a silo, by the store's name, and the process it is in.</summary>
    private sealed record SimulatedSilo(
        IReadOnlyDictionary<string, ITransportTarget> Targets, SimulatedProcess Process);

    private sealed class View(SimulatedNetwork network, SiloAddress silo) : IMembershipView
    {
        public ImmutableArray<SiloAddress> LiveSilos =>
            network._frozen.TryGetValue(silo, out var then) ? then.Live : network.See(silo, network._live);

        public ImmutableArray<SiloAddress> StayingSilos =>
            [.. LiveSilos.Where(one => !network.Leaving.Contains(one))];

        public ImmutableArray<SiloAddress> LeavingSilos => [.. LiveSilos.Where(network.Leaving.Contains)];

        public long Version => network._frozen.TryGetValue(silo, out var then) ? then.Version : network._version;

        public Task ChangedAsync(CancellationToken cancellationToken) =>
            network._changed.Task.WaitAsync(cancellationToken);
    }

    private sealed class Endpoint(SimulatedNetwork network, SiloAddress local) : ITransport
    {
        public SiloAddress Local => local;

        public Task<BatchReply> SendAsync(SiloAddress silo, RequestBatch batch, CancellationToken cancellationToken)
        {
            if (network._dead.Contains(local))
            {
                return Task.FromException<BatchReply>(new IOException("This silo is dead."));
            }

            network.Sent++;
            var decided = network.OnSend(local, silo, batch);
            if (decided.Fate == Fate.Hang && !network.IsLost(local, silo))
            {
                decided.Met?.Invoke();
            }

            var reply = decided.Fate == Fate.Hang
                ? new TaskCompletionSource<BatchReply>().Task
                : network.OnItsWay<BatchReply>(answer => network.CarryAsync(local, silo, batch, decided, answer));
            return reply.WaitAsync(cancellationToken);
        }

        public Task<StoreDescription?> DescribeAsync(
            SiloAddress silo, string store, CancellationToken cancellationToken) =>
            network.OnItsWay<StoreDescription?>(answer => network.DescribeAsync(local, silo, store, answer))
                .WaitAsync(cancellationToken);
    }
}
