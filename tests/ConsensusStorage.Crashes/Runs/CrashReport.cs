using System.Diagnostics;
using System.Globalization;
using Orleans.Consensus.Crashes.Faults;

namespace Orleans.Consensus.Crashes.Runs;

/// <summary>Tells people what happens, a line each, and at the end how much of it.</summary>
internal sealed class CrashReport(CrashOptions options, TextWriter output, Stopwatch clock)
{
    private readonly Dictionary<string, int> _faults = [];

    public void Begins(IEnumerable<Fault> kinds) => Tell(
        $"{options.Silos} silos, {options.Storage}, seed {options.Seed}; faults: "
        + $"{string.Join(", ", kinds.Select(kind => kind.Name))}");

    /// <summary>A fault is over.</summary>
    public void Struck(Fault fault, string what, TimeSpan began)
    {
        _faults[fault.Name] = _faults.GetValueOrDefault(fault.Name) + 1;
        Tell(string.Create(
            CultureInfo.InvariantCulture, $"{fault.Name}: {what}; {(clock.Elapsed - began).TotalSeconds:0.0} s"));
    }

    /// <summary>The customers have stopped; nothing is judged yet.</summary>
    /// <param name="customers">What they have done.</param>
    /// <param name="misjudged">Silos that were thought dead without a reason.</param>
    /// <param name="noticed">At silos that nothing was done to.</param>
    public void Loaded(Customers customers, int misjudged, Noticed noticed)
    {
        var orders = customers.Load.Ledger.Acknowledged;
        var applied = orders.Count(order => order.Applied);
        Tell(string.Create(
            CultureInfo.InvariantCulture,
            $"{orders.Count:N0} orders: {applied:N0} acknowledged, {orders.Count - applied:N0} refused for want of "
            + $"money; {customers.Load.Ledger.Reads:N0} fresh reads; {customers.Repeated:N0} requests repeated"));
        Tell($"{_faults.Values.Sum()} faults: "
            + string.Join(", ", _faults.OrderBy(fault => fault.Key).Select(fault => $"{fault.Key} {fault.Value}"))
            + $"; {misjudged} silos were thought dead without a reason, and started again");
        Tell($"Longest waits for silos that nothing was done to: {noticed}");
    }

    public void Ends() => Tell(
        "Every acknowledged order is there once, money is conserved, histories are linearizable, all silos agree. "
        + $"Again: {options.Command}");

    public void Tell(string line) =>
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{clock.Elapsed:hh\\:mm\\:ss}  {line}"));
}
