using Orleans.Consensus.Journaling.Files;

namespace Orleans.Consensus.Simulation.Clusters;

/// <summary>
/// One process's way to its disk: when the process has ended, whatever is left of its code reaches it no more.
/// </summary>
internal sealed class SimulatedProcess(IFileLayer disk) : IFileLayer
{
    public bool HasEnded { get; set; }

    public ValueTask<IFileDirectory> LockDirectoryAsync(
        string path, string owner, CancellationToken cancellationToken) =>
        HasEnded
            ? throw new IOException("This process has ended.")
            : disk.LockDirectoryAsync(path, owner, cancellationToken);
}
