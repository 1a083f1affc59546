using Orleans.Consensus.Journaling.Files;
using Orleans.Consensus.Simulation.Kernel;

namespace Orleans.Consensus.Simulation.Disks;

/// <summary>
/// One process's way to its disk: when the process has ended, whatever is left of its code reaches it no more.
/// </summary>
internal sealed class ProcessDisk(IFileLayer disk, SimulatedProcess process) : IFileLayer
{
    public ValueTask<IFileDirectory> LockDirectoryAsync(
        string path, string owner, CancellationToken cancellationToken) =>
        process.HasEnded
            ? throw new IOException("This process has ended.")
            : disk.LockDirectoryAsync(path, owner, cancellationToken);
}
