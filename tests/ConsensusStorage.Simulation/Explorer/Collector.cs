using System.Collections.Immutable;
using Orleans.Consensus.Paxos;

namespace Orleans.Consensus.Simulation.Explorer;

/// <summary>What an acceptor told the collector: the tombstone that it holds, and its horizon.</summary>
internal readonly record struct Report(Ballot Accepted, RegisterVersion Tombstone, Ballot Horizon);

/// <summary>All acceptors hold this tombstone: raise all floors and horizons, then drop it.</summary>
internal readonly record struct Order(Ballot Accepted, RegisterVersion Tombstone, Ballot Floor);

/// <summary>
/// Who drops tombstones for good (S12): all acceptors report the same one, floor and horizon are raised on all, to a
/// ballot above all their horizons, and then each drops it. Immutable. What it hears and orders may be late and may
/// come again: a report counts until the next one, and an order stands for ever.
/// </summary>
internal sealed record Collector(ImmutableArray<Report?> Reports, ImmutableArray<Order> Orders)
{
    public static readonly ProposerId Id = new((UInt128)(16 * Client.MaxClients));

    /// <summary>Reports asked for anew.</summary>
    public int Begun { get; init; }

    /// <summary>Orders for the sake of other registers: floors are shared, and there is nothing to drop here.</summary>
    public int ForOthers { get; init; }

    /// <summary>Whether what <paramref name="acceptor"/> could report now would be news.</summary>
    public bool Awaits(int acceptor, AcceptorState state, int most) =>
        state.Value is { IsTombstone: true } && Reports[acceptor] is null && (Fits(state) || Begun < most);

    /// <summary>Takes a report; one of another tombstone begins anew.</summary>
    public Collector Hear(int acceptor, AcceptorState state, Ballot horizon)
    {
        var report = new Report(state.Accepted, state.Value!.Version, horizon);
        return Fits(state)
            ? this with { Reports = Reports.SetItem(acceptor, report) }
            : this with { Begun = Begun + 1, Reports = Nothing.SetItem(acceptor, report) };
    }

    /// <summary>They all agree.</summary>
    public Collector Decide(Ballot floor)
    {
        var one = Reports.First(report => report is not null)!.Value;
        return this with
        {
            Reports = Nothing,
            Orders = Orders.Add(new(one.Accepted, one.Tombstone, floor)),
        };
    }

    private ImmutableArray<Report?> Nothing => [.. Enumerable.Repeat((Report?)null, Reports.Length)];

    private bool Fits(AcceptorState state)
    {
        var isBegun = false;
        foreach (var report in Reports)
        {
            if (report is { } other && (other.Accepted != state.Accepted || other.Tombstone != state.Value!.Version))
            {
                return false;
            }

            isBegun |= report is not null;
        }

        return isBegun;
    }
}
