using System.Collections.Immutable;
using Orleans.Consensus.Journaling;
using Orleans.Consensus.Journaling.Files;
using Orleans.Consensus.Simulation.Disks;
using Orleans.Consensus.Simulation.Kernel;

namespace Orleans.Consensus.Simulation.Shares;

/// <summary>
/// A file server for each replica of a cluster, and the ways there: logs that float in shared directories.
/// </summary>
internal sealed class FileShares
{
    private readonly SimulatedScheduler _kernel;
    private readonly ReplicaSet _replicas;
    private readonly Dictionary<SimulatedProcess, List<ShareMount>> _mounts = [];

    public FileShares(SimulatedScheduler kernel, ReplicaSet replicas, Random random)
    {
        (_kernel, _replicas) = (kernel, replicas);
        All = [.. replicas.Members.Select(_ => new FileShareServer(new FaultyFiles(new(random.Next()))))];
    }

    /// <summary>In the order of the replicas.</summary>
    public ImmutableArray<FileShareServer> All { get; }

    /// <summary>Where the logs are as a silo's process sees them, by their name.</summary>
    public Func<string, IJournalStore> LogsOf(
        int silo, SimulatedProcess process, TimeProvider time, Random random, JournalOptions options)
    {
        var mounts = All.Select(server => new ShareMount(server, process, silo)).ToImmutableArray();
        _mounts.Add(process, [.. mounts]);
        return name => new FileJournalStore(
            new Mounts(_replicas, mounts), name, options, time, random, isShared: true);
    }

    /// <summary>The same for somebody who only looks.</summary>
    public IJournalStore LogsOf(string name, Random random, JournalOptions options) =>
        LogsOf(-1, new(_kernel), _kernel.Time, random, options)(name);

    /// <summary>The power of a process's machine goes, and what it had not flushed with it.</summary>
    public void Crash(SimulatedProcess process) => _mounts.GetValueOrDefault(process)?.ForEach(mount => mount.Crash());

    /// <summary>Each replica's directories are on a server of their own.</summary>
    private sealed class Mounts(ReplicaSet replicas, ImmutableArray<ShareMount> mounts) : IFileLayer
    {
        public ValueTask<IFileDirectory> LockDirectoryAsync(
            string path, string owner, CancellationToken cancellationToken) =>
            mounts[replicas.IndexOf(new(Path.GetFileName(path)))].LockDirectoryAsync(path, owner, cancellationToken);
    }
}
