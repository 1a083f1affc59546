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
    private readonly Dictionary<(int From, int To), List<ActiveFault>> _cuts = [];
    private readonly List<(ActiveFault Fault, int Percent)> _doomed = [];
    private readonly List<(ActiveFault Fault, int Percent, int Spared)> _lostAccepts = [];
    private readonly List<(ActiveFault Fault, int Factor)> _delays = [];
    private readonly List<WrongView> _views = [];
    private ImmutableArray<SiloAddress> _ever = [];

    /// <summary>Hooks itself into the network.</summary>
    public NetworkFaults(SimulatedCluster cluster, Random random)
    {
        (_cluster, _random) = (cluster, random);
        cluster.Network.OnSend = (_, to, batch) => FateOf(to, batch);
        cluster.Network.IsCut = IsCut;
        cluster.Network.See = See;
    }

    /// <summary>From here on messages take their time.</summary>
    public void BeginDelays() => _cluster.Network.Latency = LatencyOf;

    public async Task StrikeAsync(ActiveFault fault, Random random)
    {
        switch (fault.Kind)
        {
            case FaultKind.Loss when random.Next(3) == 0:
                // Promises are won and nothing can be put, or only a minority hears of it.
                var lost = (fault, random.Next(40, 120), random.Next(_cluster.Replicas.Count));
                _lostAccepts.Add(lost);
                await LastAsync(fault);
                await _cluster.PassAsync(800);
                _lostAccepts.Remove(lost);
                break;
            case FaultKind.Loss or FaultKind.Duplication or FaultKind.Reordering:
                var doomed = (fault, random.Next(5, 50));
                _doomed.Add(doomed);
                await LastAsync(fault);
                _doomed.Remove(doomed);
                break;
            case FaultKind.Delay:
                var delay = (fault, random.Next(2) == 0 ? random.Next(1, 20) : random.Next(20, 300));
                _delays.Add(delay);
                await LastAsync(fault);
                _delays.Remove(delay);
                break;
            case FaultKind.OneWayCut or FaultKind.Partition:
                var cuts = Draw(fault, random);
                Cut(fault, cuts);
                await LastAsync(fault);
                Mend(fault, cuts);
                break;
            case FaultKind.Flapping:
                var flaps = Draw(fault, random);
                for (var i = 0; i < 6; i++)
                {
                    Cut(fault, flaps);
                    await _cluster.PassAsync(random.Next(1, 60));
                    Mend(fault, flaps);
                    await _cluster.PassAsync(random.Next(1, 60));
                }

                break;
            case FaultKind.FlappingViews:
                for (var i = 0; i < 6; i++)
                {
                    await SeeWronglyAsync(fault, random, random.Next(1, 400));
                    await _cluster.PassAsync(random.Next(1, 200));
                }

                break;
            default:
                await SeeWronglyAsync(fault, random, fault.Plan.Lasts.TotalMilliseconds);
                break;
        }
    }

    /// <summary>For a while nothing gets to some silos but from one.</summary>
    public async Task HearOnlyAsync(ActiveFault fault, IReadOnlyCollection<int> listeners)
    {
        var others = _cluster.Addresses.Keys.Except([fault.Silo]).Order();
        var cuts = (from here in others from there in listeners where here != there select (here, there)).ToList();
        Cut(fault, cuts);
        await LastAsync(fault);
        Mend(fault, cuts);
    }

    private Task LastAsync(ActiveFault fault) => _cluster.PassAsync(fault.Plan.Lasts.TotalMilliseconds);

    private List<(int From, int To)> Draw(ActiveFault fault, Random random)
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

    private void Cut(ActiveFault fault, List<(int From, int To)> cuts)
    {
        foreach (var cut in cuts)
        {
            if (!_cuts.TryGetValue(cut, out var faults))
            {
                _cuts.Add(cut, faults = []);
            }

            faults.Add(fault);
        }
    }

    private void Mend(ActiveFault fault, List<(int From, int To)> cuts)
    {
        foreach (var cut in cuts)
        {
            _cuts[cut].Remove(fault);
            if (_cuts[cut].Count == 0)
            {
                _cuts.Remove(cut);
            }
        }
    }

    /// <summary>Asked for a message that has arrived, but for this.</summary>
    private bool IsCut(SiloAddress from, SiloAddress to)
    {
        if (!_cuts.TryGetValue((Number(from), Number(to)), out var faults))
        {
            return false;
        }

        faults.ForEach(static fault => fault.Strike());
        return true;
    }

    private TimeSpan LatencyOf(SiloAddress from, SiloAddress to)
    {
        if (from.Equals(to))
        {
            return TimeSpan.Zero;
        }

        var slowness = 0;
        foreach (var (fault, factor) in _delays)
        {
            slowness += factor;
            fault.Strike();
        }

        return TimeSpan.FromMicroseconds(_random.Next(50, 2000) * (1 + Math.Min(slowness, MostSlowness)));
    }

    private async Task SeeWronglyAsync(ActiveFault fault, Random random, double milliseconds)
    {
        foreach (var silo in _cluster.Addresses.Keys.Where(_ => random.Next(2) == 0).Append(fault.Silo))
        {
            _views.Add(new(fault, silo, random.Next(), random.Next(2) == 0));
        }

        _cluster.Network.Changed();
        await _cluster.PassAsync(milliseconds);
        _views.RemoveAll(view => view.Fault == fault);
        _cluster.Network.Changed();
    }

    private ImmutableArray<SiloAddress> See(SiloAddress viewer, ImmutableArray<SiloAddress> live)
    {
        _ever = _ever.AddRange(live.Where(silo => !_ever.Contains(silo)));
        if (_views.FindLast(one => one.Silo == Number(viewer)) is not { } view)
        {
            return live;
        }

        // The same wrong view at every look, until it changes: some live ones are missing, some dead ones are there.
        bool IsSeen(SiloAddress silo) =>
            live.Contains(silo)
                ? silo.Equals(viewer) || ((view.Seed >> (Number(silo) % 16)) & 1) != 0
                : view.Ghosts && ((view.Seed >> ((Number(silo) + silo.Generation) % 16)) & 1) != 0;

        var seen = _ever.Where(IsSeen).ToImmutableArray();
        if (!seen.SequenceEqual(live))
        {
            view.Fault.Strike();
        }

        return seen;
    }

    private DecidedFate FateOf(SiloAddress to, RequestBatch batch)
    {
        if (LossOf(to, batch) is { } loss)
        {
            return new(_random.Next(2) == 0 ? Fate.DropRequest : Fate.Hang, loss.Strike);
        }

        if (Drawn(FaultKind.Loss, 80) is { } lost)
        {
            return new((Fate)_random.Next((int)Fate.DropRequest, (int)Fate.HangReply + 1), lost.Strike);
        }

        return Drawn(FaultKind.Duplication) is { } twice ? new DecidedFate(Fate.Twice, twice.Strike)
            : Drawn(FaultKind.Reordering) is { } echo ? new DecidedFate(Fate.Echo, echo.Strike)
            : Fate.Deliver;
    }

    private ActiveFault? LossOf(SiloAddress to, RequestBatch batch)
    {
        if (_lostAccepts.Count == 0 || !batch.Requests.Any(one => one.Request is Accept))
        {
            return null;
        }

        return _lostAccepts.Find(loss => loss.Spared != Number(to) && _random.Next(100) < loss.Percent).Fault;
    }

    /// <summary>The fault of a kind, out of all that last, that a message meets.</summary>
    private ActiveFault? Drawn(FaultKind kind, int mostPercent = 100)
    {
        var dice = _random.Next(100);
        if (dice >= mostPercent)
        {
            return null;
        }

        foreach (var (fault, percent) in _doomed)
        {
            if (fault.Kind == kind && (dice -= percent) < 0)
            {
                return fault;
            }
        }

        return null;
    }

    private static int Number(SiloAddress silo) => silo.Endpoint.Port - 1000;

    /// <param name="Seed">Which silos are missing or there.</param>
    /// <param name="Ghosts">Dead silos can be seen, too.</param>
    private sealed record WrongView(ActiveFault Fault, int Silo, int Seed, bool Ghosts);
}
