using Orleans.Consensus.Simulation.Disks;

namespace Orleans.Consensus.Simulation.Faults;

/// <summary>A loss of power that waits for one of the next changes of a silo's disk.</summary>
/// <param name="changes">Changes to let pass.</param>
/// <param name="ofNames">
/// Only files that come, go or get another name count: there is one of these to hundreds of writes.
/// </param>
internal sealed class ArmedCrash(ActiveFault fault, int changes, bool ofNames)
{
    private int _left = changes;

    public ActiveFault Fault => fault;

    /// <summary>The silo's way back, once the power has gone.</summary>
    public Task Restarted { get; set; } = Task.CompletedTask;

    /// <summary>Whether the power goes in the middle of this operation.</summary>
    public bool Hits(FileAction action) =>
        (ofNames ? action.ChangesNames() : action.ChangesDisk()) && _left-- <= 0;
}
