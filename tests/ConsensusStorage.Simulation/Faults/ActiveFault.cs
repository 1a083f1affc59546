using Orleans.Consensus.Simulation.Scenarios;

namespace Orleans.Consensus.Simulation.Faults;

/// <summary>
/// A fault that is due. It counts once somebody felt it: a loss that met no message, or a crash that found nobody
/// alive, was none.
/// </summary>
/// <param name="felt">Called at its first effect.</param>
internal sealed class ActiveFault(PlannedFault plan, Action<PlannedFault> felt)
{
    private bool _hasStruck;

    public PlannedFault Plan => plan;

    public FaultKind Kind => plan.Kind;

    public int Silo => plan.Silo;

    /// <summary>It has an effect, not only the first time.</summary>
    public void Strike()
    {
        if (!_hasStruck)
        {
            _hasStruck = true;
            felt(plan);
        }
    }
}
