namespace Orleans.Consensus.Simulation.Faults;

/// <summary>
/// The replicas that a run may break for good: a minority. To the store it is the same whether a disk is lost or a
/// clock is hours ahead for a moment: such a replica may promise what no other believes for hours (S4).
/// </summary>
internal sealed class Minority(int replicas)
{
    private readonly HashSet<int> _broken = [];
    private bool _allNeeded;

    /// <summary>Whether any may be broken by now.</summary>
    public bool MayBreak { get; set; }

    /// <summary>Whether a silo's replica may be broken; it counts as broken from here on. Others are free.</summary>
    public bool TryBreak(int silo) =>
        silo >= replicas || _broken.Contains(silo)
        || (MayBreak && !_allNeeded && _broken.Count < (replicas - 1) / 2 && _broken.Add(silo));

    /// <summary>Whether no replica is broken; none may be from here on.</summary>
    public bool TryNeedAll() => _broken.Count == 0 && (_allNeeded = true);
}
