namespace Orleans.Consensus.ClusterTests.Support;

/// <summary>A cluster whose silos the tests of a class may break; each begins with all of them in order.</summary>
public abstract class BreakableCluster(int silos) : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private TestedCluster? _cluster;

    internal TestedCluster Cluster => _cluster!;

    public async ValueTask InitializeAsync() => _cluster = await TestedCluster.StartAsync(
        new() { Directory = _directory.Path, Silos = silos, Replicas = silos });

    public async ValueTask DisposeAsync()
    {
        if (_cluster is not null)
        {
            await _cluster.DisposeAsync();
        }

        _directory.Dispose();
        GC.SuppressFinalize(this);
    }
}

/// <summary>Three silos with one replica each.</summary>
public sealed class ThreeSilos() : BreakableCluster(3);

/// <summary>Five silos with one replica each.</summary>
public sealed class FiveSilos() : BreakableCluster(5);
