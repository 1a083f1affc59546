namespace Orleans.Consensus.Simulation.Branches;

/// <summary>
/// What instrumented code calls at each branch. A run has a thread of its own, so each thread notes for itself.
/// </summary>
public static class Probes
{
    [ThreadStatic]
    private static bool[]? _taken;

    public static void Hit(int branch)
    {
        if (_taken is { } taken)
        {
            taken[branch] = true;
        }
    }

    /// <summary>The branches that <paramref name="run"/> takes, by number.</summary>
    internal static bool[] Watch(int branches, Action run)
    {
        var taken = _taken = new bool[branches];
        run();
        _taken = null;
        return taken;
    }
}
