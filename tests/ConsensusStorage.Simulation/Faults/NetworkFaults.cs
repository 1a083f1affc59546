using System.Collections.Immutable;
using Orleans.Consensus.Paxos;
using Orleans.Consensus.Simulation.Clusters;
using Orleans.Consensus.Simulation.Scenarios;
using Orleans.Consensus.Transport;
using Orleans.Runtime;

namespace Orleans.Consensus.Simulation.Faults;

/// <summary>Everything that goes wrong between silos, and in what they believe of one another.</summary>
internal sealed class NetworkFaults
{
    /// <summary>With more, the echo of a message could outlive the run.</summary>
    private const int MostSlowness = 400;

    private readonly SimulatedCluster _cluster;
    private readonly Random _random;
    private readonly Dictionary<(int From, int To), int> _cuts = [];
    private readonly Dictionary<FaultKind, int> _percent = new()
    {
        [FaultKind.Loss] = 0,
        [FaultKind.Duplication] = 0,
        [FaultKind.Reordering] = 0,
    };

    private readonly List<(int Percent, int Spared)> _lostAccepts = [];
    private readonly Dictionary<int, (int Seed, bool Ghosts)> _views = [];
    private ImmutableArray<SiloAddress> _ever = [];
    private int _slowness;

    /// <summary>Hooks itself into the network.</summary>
    public NetworkFaults(SimulatedCluster cluster, Random random)
    {
        (_cluster, _random) = (cluster, random);
        cluster.Network.OnSend = (_, to, batch) => FateOf(to, batch);
        cluster.Network.IsCut = (from, to) => _cuts.ContainsKey((Number(from), Number(to)));
        cluster.Network.See = See;
    }

    /// <summary>From here on messages take their time.</summary>
    public void BeginDelays() => _cluster.Network.Latency = (from, to) => from.Equals(to)
        ? TimeSpan.Zero
        : TimeSpan.FromMicroseconds(_random.Next(50, 2000) * (1 + Math.Min(_slowness, MostSlowness)));

    public async Task StrikeAsync(PlannedFault fault, Random random)
    {
        switch (fault.Kind)
        {
            case FaultKind.Loss when random.Next(3) == 0:
                // Promises are won and nothing can be put, or only a minority hears of it.
                var lost = (random.Next(40, 120), random.Next(_cluster.Replicas.Count));
                _lostAccepts.Add(lost);
                await LastAsync(fault);
                await _cluster.PassAsync(800);
                _lostAccepts.Remove(lost);
                break;
            case FaultKind.Loss or FaultKind.Duplication or FaultKind.Reordering:
                var percent = random.Next(5, 50);
                _percent[fault.Kind] += percent;
                await LastAsync(fault);
                _percent[fault.Kind] -= percent;
                break;
            case FaultKind.Delay:
                var factor = random.Next(2) == 0 ? random.Next(1, 20) : random.Next(20, 300);
                _slowness += factor;
                await LastAsync(fault);
                _slowness -= factor;
                break;
            case FaultKind.OneWayCut or FaultKind.Partition:
                var cuts = Draw(fault, random);
                Cut(cuts);
                await LastAsync(fault);
                Mend(cuts);
                break;
            case FaultKind.Flapping:
                var flaps = Draw(fault, random);
                for (var i = 0; i < 6; i++)
                {
                    Cut(flaps);
                    await _cluster.PassAsync(random.Next(1, 60));
                    Mend(flaps);
                    await _cluster.PassAsync(random.Next(1, 60));
                }

                break;
            default:
                await SeeWronglyAsync(fault, random);
                break;
        }
    }

    /// <summary>For a while nothing gets to some silos but from one.</summary>
    public async Task HearOnlyAsync(IReadOnlyCollection<int> listeners, int speaker, TimeSpan lasts)
    {
        var others = _cluster.Addresses.Keys.Except([speaker]).Order();
        var cuts = (from here in others from there in listeners where here != there select (here, there)).ToList();
        Cut(cuts);
        await _cluster.PassAsync(lasts.TotalMilliseconds);
        Mend(cuts);
    }

    private Task LastAsync(PlannedFault fault) => _cluster.PassAsync(fault.Lasts.TotalMilliseconds);

    private List<(int From, int To)> Draw(PlannedFault fault, Random random)
    {
        var silos = _cluster.Addresses.Keys.Order().ToList();
        var inside = silos.Where(silo => silo == fault.Silo || random.Next(4) == 0).ToHashSet();
        var cuts = new List<(int, int)>();
        foreach (var (here, there) in
            from here in silos
            where inside.Contains(here)
            from there in silos
            where !inside.Contains(there)
            select (here, there))
        {
            if (fault.Kind == FaultKind.OneWayCut)
            {
                cuts.AddRange(random.Next(3) switch { 0 => [(here, there)], 1 => [(there, here)], _ => [] });
            }
            else
            {
                cuts.AddRange([(here, there), (there, here)]);
            }
        }

        return cuts;
    }

    private void Cut(List<(int From, int To)> cuts) =>
        cuts.ForEach(cut => _cuts[cut] = _cuts.GetValueOrDefault(cut) + 1);

    private void Mend(List<(int From, int To)> cuts) => cuts.ForEach(cut =>
    {
        if (--_cuts[cut] == 0)
        {
            _cuts.Remove(cut);
        }
    });

    private async Task SeeWronglyAsync(PlannedFault fault, Random random)
    {
        foreach (var silo in _cluster.Addresses.Keys.Where(_ => random.Next(2) == 0).Append(fault.Silo))
        {
            _views[silo] = (random.Next(), random.Next(2) == 0);
        }

        _cluster.Network.Changed();
        await LastAsync(fault);
        _views.Clear();
        _cluster.Network.Changed();
    }

    private ImmutableArray<SiloAddress> See(SiloAddress viewer, ImmutableArray<SiloAddress> live)
    {
        _ever = _ever.AddRange(live.Where(silo => !_ever.Contains(silo)));
        if (!_views.TryGetValue(Number(viewer), out var view))
        {
            return live;
        }

        // The same wrong view at every look, until it changes: some live ones are missing, some dead ones are there.
        bool IsSeen(SiloAddress silo) =>
            live.Contains(silo)
                ? silo.Equals(viewer) || ((view.Seed >> (Number(silo) % 16)) & 1) != 0
                : view.Ghosts && ((view.Seed >> ((Number(silo) + silo.Generation) % 16)) & 1) != 0;

        return [.. _ever.Where(IsSeen)];
    }

    private Fate FateOf(SiloAddress to, RequestBatch batch)
    {
        if (batch.Requests.Any(one => one.Request is Accept)
            && _lostAccepts.Any(loss => loss.Spared != Number(to) && _random.Next(100) < loss.Percent))
        {
            return _random.Next(2) == 0 ? Fate.DropRequest : Fate.Hang;
        }

        if (_random.Next(100) < Math.Min(_percent[FaultKind.Loss], 80))
        {
            return (Fate)_random.Next((int)Fate.DropRequest, (int)Fate.HangReply + 1);
        }

        return _random.Next(100) < _percent[FaultKind.Duplication] ? Fate.Twice
            : _random.Next(100) < _percent[FaultKind.Reordering] ? Fate.Echo
            : Fate.Deliver;
    }

    private static int Number(SiloAddress silo) => silo.Endpoint.Port - 1000;
}
