using Orleans.Consensus.Journaling.Files;

namespace Orleans.Consensus.Tests.Journaling.SharedLogs;

/// <summary>A file server whose locks hold on one machine only, as another machine sees it.</summary>
internal sealed class UnlockedFiles(FaultyFiles files) : IFileLayer
{
    public ValueTask<IFileDirectory> LockDirectoryAsync(
        string path, string owner, CancellationToken cancellationToken) => files.VisitDirectoryAsync(path);
}
