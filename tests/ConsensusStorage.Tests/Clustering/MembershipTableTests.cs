using System.Collections.Immutable;
using Orleans.Consensus.Clustering.Documents;

namespace Orleans.Consensus.Tests.Clustering;

public sealed class OnePlaceTableTests : MembershipTableCases
{
    internal override ValueTask<ImmutableArray<IDocuments>> CreatePlacesAsync() => new([.. MembershipBench.Memory(1)]);
}

public sealed class ThreePlaceTableTests : MembershipTableCases
{
    internal override ValueTask<ImmutableArray<IDocuments>> CreatePlacesAsync() => new([.. MembershipBench.Memory(3)]);
}

public sealed class FileTableTests : MembershipTableCases
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory();

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        for (var tries = 0; _directory.Exists; tries++)
        {
            try
            {
                _directory.Delete(recursive: true);
            }
            catch (IOException) when (tries < 100)
            {
                // The slowest document is still being brought up to date.
                await Task.Delay(TimeSpan.FromMilliseconds(50));
            }

            _directory.Refresh();
        }
    }

    internal override ValueTask<ImmutableArray<IDocuments>> CreatePlacesAsync() => new(
    [
        .. Enumerable.Range(1, 3).Select(
            number => new FileDocuments(
                Path.Combine(_directory.FullName, $"{number}"), TimeProvider.System, Random.Shared)),
    ]);
}
